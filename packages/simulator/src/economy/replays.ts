import { CodedError } from "@cairn/cose";
import { ServiceError } from "@cairn/issuer/services";
import { perform } from "../parties/party.ts";
import type { SimulatedTerminal } from "../parties/terminal.ts";
import type { Shopping } from "./shopping.ts";
import type { World } from "./world.ts";

const LISTS_KEPT = 12;

/** What was shown, sent or signed before, once more. */
export class Replays {
  readonly #world: World;
  readonly #shopping: Shopping;
  readonly #lists: { readonly trustList: Uint8Array; readonly statusList: Uint8Array }[] = [];

  constructor(world: World, shopping: Shopping) {
    this.#world = world;
    this.#shopping = shopping;
  }

  /** Codes and calls once more, as they were or with a bit changed, where they belong and where they do not. */
  async happen(terminal: SimulatedTerminal): Promise<void> {
    const { kernel, truth } = this.#world;
    const { random } = kernel.cause;
    if (random.chance(0.3)) return this.#offerOldLists(terminal);
    if (random.chance(0.4) && truth.calls.length > 0) return this.#sendAgain();
    if (random.chance(0.2)) {
      await perform(this.#world, terminal.node, 500, () => terminal.upload("unsettled"));
      return;
    }
    const { photographs } = this.#shopping;
    if (photographs.length === 0) return;
    const photograph = random.pick(photographs);
    const at = random.chance(0.5) ? photograph.terminal : terminal;
    const codeText = random.chance(0.3) ? this.#spoiled(photograph.codeText) : photograph.codeText;
    const outcome = await perform(this.#world, at.node, 500, () =>
      photograph.isOpen ? at.app.acceptOpen(codeText, { captureMinor: 100n }) : at.app.accept(codeText),
    );
    this.#world.tell(() => {
      const said = outcome?.kind === "refused" ? `refuses: ${outcome.refusal.code}` : (outcome?.kind ?? "is down");
      return `somebody shows ${at.name} a payment that was shown before, and it ${said}`;
    });
  }

  /** Somebody on the line answers with lists of some time ago, all genuine. */
  async #offerOldLists(terminal: SimulatedTerminal): Promise<void> {
    const world = this.#world;
    const lists = await world.issuer.lists();
    this.#lists.push(lists);
    if (this.#lists.length > LISTS_KEPT) this.#lists.shift();
    const [oldest = lists] = this.#lists;
    const setup = await terminal.durable.setup();
    if (setup === undefined) return;
    const { payeeCertificate } = setup.setup;
    const refused = await perform(world, terminal.node, 500, () =>
      terminal.app.applyLists({ ...oldest, payeeCertificate }),
    );
    world.tell(
      () =>
        `${terminal.name} is offered old lists: ${refused?.map(({ code }) => code).join(", ") || "nothing to refuse"}`,
    );
  }

  async #sendAgain(): Promise<void> {
    const world = this.#world;
    const { issuer, kernel, truth } = world;
    const { random } = kernel.cause;
    const call = random.pick(truth.calls);
    const body = random.chance(0.3) ? flipped(call.body, random.below(call.body.length * 8)) : call.body;
    const answer = await perform(world, issuer.server, 500, async () => {
      try {
        await (call.kind === "upload" ? issuer.upload(body) : issuer.sync(body, { holds: [], since: 0 }));
        return "takes it";
      } catch (error) {
        if (error instanceof ServiceError || error instanceof CodedError) return `refuses: ${error.code}`;
        throw error;
      }
    });
    world.tell(() => `somebody sends the server a call that was sent before, and it ${answer ?? "is down"}`);
  }

  #spoiled(codeText: string): string {
    const at = this.#world.kernel.cause.random.below(codeText.length);
    return `${codeText.slice(0, at)}${codeText[at] === "7" ? "8" : "7"}${codeText.slice(at + 1)}`;
  }
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice();
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return changed;
}
