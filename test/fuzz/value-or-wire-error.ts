/** What most codecs promise: a value or a wire error, nothing else. */
import { isWireError } from '../../src/model/bng-error.js';

/** What `act` gives, or null when it throws a wire error; anything else is thrown on. */
export function valueOf<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (isWireError(error)) return null;
    throw error;
  }
}
