/** Takes away what a BNG has pinned, as a boot of the machine does: a part of the bench of a start. Its store stays. */
import { z } from 'zod';
import { loadNative } from '../../src/dataplane/load-native.js';
import { tearDown } from '../../src/dataplane/tear-down.js';
import { tellParent } from './bench-context.js';

const { pinPath } = z.strictObject({ pinPath: z.string() }).parse(JSON.parse(process.argv[2] ?? ''));
tellParent({ result: await tearDown({ binding: loadNative(), pinPath }) });
