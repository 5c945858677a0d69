/**
 * Puts counters into JavaScript: one for each branch, and a report of each comparison for equality, so that the fuzzer sees
 * where an input went and what it was compared with. Text in, text out; the meaning stays.
 */
import ts from 'typescript';

/** Names in the code that is put in; `coverage.ts` has what they stand for. */
const PREAMBLE = 'const {hits:__hits,equal:__equal,chosen:__chosen,label:__label}=globalThis.bngFuzzing;';

/** `firstLocation` is the number of the first counter; the result says how many there are then. */
export function instrument(
  code: string,
  firstLocation: number,
): { readonly code: string; readonly locations: number } {
  const source = ts.createSourceFile('code.js', code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const instrumenter = new Instrumenter(code, firstLocation);
  const text = instrumenter.emit(source);
  return { code: PREAMBLE + text, locations: instrumenter.locations };
}

class Instrumenter {
  readonly #code: string;
  #next: number;

  constructor(code: string, firstLocation: number) {
    this.#code = code;
    this.#next = firstLocation;
  }

  get locations(): number {
    return this.#next;
  }

  /** The node with the white space and comments in front of it. */
  emit(node: ts.Node): string {
    if (ts.isBlock(node)) return this.#block(node);
    if (ts.isIfStatement(node)) return this.#if(node);
    if (ts.isIterationStatement(node, false)) return this.#loop(node);
    if (ts.isConditionalExpression(node)) return this.#conditional(node);
    if (ts.isBinaryExpression(node)) return this.#binary(node);
    if (ts.isArrowFunction(node) && !ts.isBlock(node.body))
      return this.#with(node, new Map([[node.body, this.#counted(node.body)]]));
    if (ts.isSwitchStatement(node))
      return this.#with(node, new Map([[node.expression, this.#wrapped(node.expression, '__chosen(')]]));
    if (ts.isCaseClause(node) || ts.isDefaultClause(node)) return this.#clause(node);
    return this.#with(node, new Map());
  }

  #hit(): string {
    return `__hits[${this.#next++}]++`;
  }

  /** The text of a node with some of its children replaced. */
  #with(node: ts.Node, replaced: ReadonlyMap<ts.Node, string>): string {
    let text = '';
    let at = node.getFullStart();
    ts.forEachChild(node, (child) => {
      // Of what is left out, such as an omitted element, there is nothing to write.
      if (child.end === child.getFullStart()) return;
      text += this.#code.slice(at, child.getFullStart());
      text += replaced.get(child) ?? this.emit(child);
      at = child.end;
    });
    return text + this.#code.slice(at, node.end);
  }

  /** What stands in front of a node stays in front of what is put around it: a line break after `return` would end it. */
  #wrapped(node: ts.Node, open: string, close = ')'): string {
    const trivia = node.getStart() - node.getFullStart();
    const text = this.emit(node);
    return `${text.slice(0, trivia)}${open}${text.slice(trivia)}${close}`;
  }

  #counted(expression: ts.Node): string {
    return this.#wrapped(expression, `(${this.#hit()},(`, '))');
  }

  #block(node: ts.Block): string {
    const hit = this.#hit();
    const text = this.#with(node, new Map());
    const brace = node.getStart() - node.getFullStart() + 1;
    // A directive such as 'use strict' stays first: it is no statement that may come later.
    const [first] = node.statements;
    const directive =
      first !== undefined && ts.isExpressionStatement(first) && ts.isStringLiteral(first.expression);
    return directive ? text : `${text.slice(0, brace)}${hit};${text.slice(brace)}`;
  }

  /** A statement that may stand alone, in braces and counted. */
  #branch(statement: ts.Statement): string {
    if (ts.isBlock(statement)) return this.emit(statement);
    return this.#wrapped(statement, ` {${this.#hit()};`, '}');
  }

  #if(node: ts.IfStatement): string {
    const replaced = new Map<ts.Node, string>([[node.thenStatement, this.#branch(node.thenStatement)]]);
    if (node.elseStatement !== undefined)
      return this.#with(node, replaced.set(node.elseStatement, this.#branch(node.elseStatement)));
    return `${this.#with(node, replaced)} else {${this.#hit()};}`;
  }

  #loop(node: ts.IterationStatement): string {
    return this.#with(node, new Map([[node.statement, this.#branch(node.statement)]]));
  }

  #conditional(node: ts.ConditionalExpression): string {
    const { whenTrue, whenFalse } = node;
    return this.#with(
      node,
      new Map([
        [whenTrue, this.#counted(whenTrue)],
        [whenFalse, this.#counted(whenFalse)],
      ]),
    );
  }

  #binary(node: ts.BinaryExpression): string {
    const operator = node.operatorToken.kind;
    const { AmpersandAmpersandToken, BarBarToken, QuestionQuestionToken } = ts.SyntaxKind;
    if (
      operator === AmpersandAmpersandToken ||
      operator === BarBarToken ||
      operator === QuestionQuestionToken
    ) {
      return this.#with(node, new Map([[node.right, this.#counted(node.right)]]));
    }
    const equal = operator === ts.SyntaxKind.EqualsEqualsEqualsToken;
    if (!equal && operator !== ts.SyntaxKind.ExclamationEqualsEqualsToken) return this.#with(node, new Map());
    const trivia = node.getStart() - node.getFullStart();
    const left = this.emit(node.left);
    const call = `${equal ? '' : '!'}__equal((${left.slice(trivia)}),(${this.emit(node.right)}))`;
    return left.slice(0, trivia) + call;
  }

  #clause(node: ts.CaseOrDefaultClause): string {
    const replaced = new Map<ts.Node, string>();
    if (ts.isCaseClause(node)) replaced.set(node.expression, this.#wrapped(node.expression, '__label('));
    const [first] = node.statements;
    if (first !== undefined) replaced.set(first, ` ${this.#hit()};${this.emit(first)}`);
    return this.#with(node, replaced);
  }
}
