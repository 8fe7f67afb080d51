import { LRUCache } from 'lru-cache'
import type { Subject } from '../identity/subject.ts'
import type { Verdict } from '../policy/decision.gen.ts'
import type { Engine } from '../policy/engine.ts'
import { buildInput, type Question } from '../policy/input.ts'

/** Asks an engine, or remembers what it answered to the very same question. @throws {PolicyError} */
export type Decide = (engine: Engine, question: SubjectQuestion) => Verdict

/** A question whose subject is the one that the authenticator made, not a copy. */
export type SubjectQuestion = Question & { readonly subject: Subject }

/** All of a question but what is asked: who asks, and under what. */
export type Scope = Omit<SubjectQuestion, 'action' | 'target' | 'server'>

const maxVerdicts = 20_000
/** Names come from clients: longer questions are asked each time. Characters. */
const maxKeyLength = 1024

/**
 * A verdict is remembered under everything the policy can read: the revision (policy and data), the subject, and the
 * question. A subject stands for its whole credential, and is known by identity: another token is another subject,
 * and when the authenticator forgets one, nothing finds its verdicts again.
 *
 * Arguments are of the client's making. A question is asked without them first, as if they were unknown, which is refused
 * wherever rules judge arguments; only then is it asked with them, and that answer is never remembered.
 */
export function createVerdicts(): Decide {
  const verdicts = new LRUCache<string, Verdict>({ max: maxVerdicts })
  const numbers = new WeakMap<Subject, number>()
  let next = 0

  /** Undefined at first sight: a subject that is never met again (raw claims) must not push others out. */
  function numberOf(subject: Subject): number | undefined {
    const known = numbers.get(subject)
    if (known === undefined) {
      numbers.set(subject, next)
      next += 1
    }
    return known
  }

  function withoutArguments(engine: Engine, question: SubjectQuestion): Verdict {
    const number = numberOf(question.subject)
    const key = number === undefined ? undefined : keyOf(number, engine.revision, question)
    if (key === undefined || key.length > maxKeyLength) return engine.decide(buildInput(question))
    const remembered = verdicts.get(key)
    if (remembered !== undefined) return remembered
    const verdict = engine.decide(buildInput(question))
    // It is handed out again and again, and ends up in decisions that others hold.
    Object.freeze(verdict.resource)
    verdicts.set(key, verdict)
    return verdict
  }

  return function decide(engine, question) {
    const { arguments: given, ...target } = question.target
    const verdict = withoutArguments(engine, { ...question, target })
    if (given === undefined || verdict.reasons[0]?.code !== 'argument_refused') return verdict
    return engine.decide(buildInput(question))
  }
}

// Every field but the subject, by name, so that a new field of the question is part of the key without a word here.
function keyOf(number: number, revision: string, { subject: _, ...asked }: SubjectQuestion): string {
  return `${number} ${revision} ${JSON.stringify(asked)}`
}
