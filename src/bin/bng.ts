#!/usr/bin/env node
/** The `bng` command. */
import { bngProgram } from './bng/program.js';

await bngProgram().parseAsync();
