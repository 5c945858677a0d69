/** Starts the operator page: asks for the token, then shows the dashboard until it is signed out. */
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { Api } from './api.js';
import { Dashboard } from './dashboard.js';
import { signInView } from './sign-in.js';
import { startTheme } from './theme.js';

let dashboard: Dashboard | null = null;

function show(element: HTMLElement): void {
  document.body.replaceChildren(element);
}

function signedOut(reason: string): void {
  dashboard?.close();
  dashboard = null;
  show(signInView(api, reason, signedIn));
  document.querySelector<HTMLInputElement>('input[name=token]')?.focus();
}

function signedIn(): void {
  document.body.replaceChildren();
  dashboard = new Dashboard(api, () => {
    api.signOut();
    signedOut('');
  });
  document.body.prepend(dashboard.element);
}

const api = new Api(signedOut);
startTheme();
if (api.isSignedIn) signedIn();
else signedOut('');
