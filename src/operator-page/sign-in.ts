/** Asks for the API's token. Keeps nothing. */
import { reasonOf } from './api.js';
import type { Api } from './api.js';
import { h, setText } from './element.js';
import { themeButton } from './theme.js';

/** `said` is why the token is asked for, when there is more to it than a first visit. */
export function signInView(api: Api, said: string, onSignedIn: () => void): HTMLElement {
  const token = h('input', {
    type: 'password',
    name: 'token',
    required: true,
    autocomplete: 'current-password',
    spellcheck: 'false',
    maxlength: 512,
  });
  const button = h('button', { type: 'submit', class: 'primary' }, 'Sign in');
  const problem = h('p', { class: 'problem', role: 'alert' }, said);
  const form = h(
    'form',
    { class: 'sign-in panel' },
    h('h1', {}, 'BNG'),
    // For password managers, which keep a password with a name.
    h('input', { type: 'text', name: 'username', autocomplete: 'username', value: 'api', hidden: true }),
    h('label', { class: 'field' }, h('span', {}, 'API token'), token),
    problem,
    button,
    h(
      'p',
      { class: 'under' },
      'The token is in the file that api.tokenFile names on the BNG. It stays in this tab.',
    ),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = token.value.trim();
    setText(problem, '');
    if (!/^[!-~]+$/.test(given)) {
      setText(problem, 'A token is printable ASCII characters without spaces.');
      return;
    }
    button.disabled = true;
    api
      .signIn(given)
      .then(onSignedIn)
      .catch((error: unknown) => {
        setText(problem, reasonOf(error));
        token.select();
      })
      .finally(() => (button.disabled = false));
  });
  return h('main', { class: 'alone' }, form, themeButton());
}
