import { readFileSync } from "node:fs";
import { must } from "../demo/parties.ts";
import { hold as holdBefore, openPhones, type Phone, type PhoneOptions, type World } from "./phones.ts";

/** Looks at one screen. `name` says which, such as "wallet/home". */
export type Look = (name: string, phone: Phone) => Promise<void>;

/** What an app says, by the keys of its message files, in the language of the tour. */
export type Words = (key: string, values?: Readonly<Record<string, string>>) => string;

/**
 * Goes through every screen of both apps as people do, with real cameras, and shows each to `look`: for pictures, for
 * axe, for eyes. The way is found by the apps' own messages, so that it is the same in every language.
 */
export async function tour(
  after: (work: () => Promise<void>) => void,
  look: Look,
  options: PhoneOptions & { readonly language: string },
): Promise<void> {
  const guide = new Guide(wordsOf("wallet", options.language), wordsOf("terminal", options.language), look);
  const world = await openPhones(after, options, (name, phone) => look(name, phone));
  const other = await world.addWallet("Bob", "5.00");
  const { wallet, terminal } = world;
  for (const { browser } of [wallet, terminal, other]) await browser.setOffline(true);
  await guide.home(world);
  await guide.sale(world);
  await guide.refusals(world);
  await guide.gate(world);
  await guide.personToPerson(wallet, other);
  await guide.afterwards(world);
}

class Guide {
  readonly #wallet: Words;
  readonly #terminal: Words;
  readonly #look: Look;

  constructor(wallet: Words, terminal: Words, look: Look) {
    this.#wallet = wallet;
    this.#terminal = terminal;
    this.#look = look;
  }

  async home({ wallet, terminal }: World): Promise<void> {
    await this.#look("wallet/home", wallet);
    await this.#tab(wallet, "nav.history");
    await this.#look("wallet/history-empty", wallet);
    await this.#tab(wallet, "nav.home");
    await this.#look("terminal/till-empty", terminal);
  }

  /** Request, consent, payment, receipt. */
  async sale({ wallet, terminal }: World): Promise<void> {
    const [w, t] = [this.#wallet, this.#terminal];
    for (const digit of "420") await press(terminal, digit);
    await terminal.page.getByLabel(t("till.order")).fill("Table 4");
    await this.#look("terminal/till", terminal);
    await press(terminal, t("action.charge"));
    await shown(terminal, t("request.title"));
    await this.#look("terminal/request", terminal);
    wallet.camera.showNothing();
    await press(wallet, w("home.scan"));
    await wallet.page.locator("[data-camera=on]").waitFor();
    await this.#look("wallet/scan", wallet);
    await holdUp(terminal, wallet);
    await shown(wallet, w("review.title"));
    await this.#look("wallet/review", wallet);
    await wallet.page.locator(".button.main").click();
    await shown(wallet, w("code.title", { payee: "Harbour Kiosk" }));
    await this.#look("wallet/code", wallet);
    terminal.camera.showNothing();
    await press(terminal, t("action.scan"));
    await terminal.page.locator("[data-camera=on]").waitFor();
    await this.#look("terminal/scan", terminal);
    await holdUp(wallet, terminal);
    await terminal.page.locator("[data-verdict=accepted]").waitFor();
    await this.#look("terminal/accepted", terminal);
    wallet.camera.showNothing();
    await press(wallet, w("code.receipt"));
    await holdUp(terminal, wallet);
    await shown(wallet, w("receipt.title"));
    await this.#look("wallet/paid", wallet);
    wallet.camera.showNothing();
    await press(wallet, w("done"));
    await press(terminal, t("action.next"));
  }

  /** The same payment again, more than the limit, and a sale that is given up. */
  async refusals({ wallet, terminal }: World): Promise<void> {
    const [w, t] = [this.#wallet, this.#terminal];
    for (const digit of "990") await press(terminal, digit);
    await press(terminal, t("action.charge"));
    await press(terminal, t("action.scan"));
    await terminal.page.locator("[data-verdict=repeated]").waitFor();
    await this.#look("terminal/repeated", terminal);
    terminal.camera.showNothing();
    await press(terminal, t("action.next"));

    for (const digit of "18000") await press(terminal, digit);
    await press(terminal, t("action.charge"));
    wallet.camera.showNothing();
    await press(wallet, w("home.scan"));
    await holdUp(terminal, wallet);
    await wallet.page.locator(".button.main").click();
    await shown(wallet, w("refused.title"));
    await this.#look("wallet/refused", wallet);
    await press(wallet, w("done"));
    await press(terminal, t("action.scan"));
    await terminal.page.locator("details.typed summary").click();
    await terminal.page.locator("textarea").fill("CAIRN:1:P:0");
    await terminal.page.locator("details.typed button").click();
    await terminal.page.locator("[data-verdict=refused]").waitFor();
    await this.#look("terminal/refused", terminal);
    await press(terminal, t("action.next"));

    for (const digit of "500") await press(terminal, digit);
    await press(terminal, t("action.charge"));
    wallet.camera.showNothing();
    await press(wallet, w("home.scan"));
    await holdUp(terminal, wallet);
    await wallet.page.locator(".button.main").click();
    await shown(wallet, w("code.title", { payee: "Harbour Kiosk" }));
    await press(terminal, t("action.cancel"));
    await shown(terminal, t("void.done"));
    await this.#look("terminal/cancelled", terminal);
    wallet.camera.showNothing();
    await press(wallet, w("code.receipt"));
    await holdUp(terminal, wallet);
    await shown(wallet, w("void.title"));
    await this.#look("wallet/given-back", wallet);
    await press(wallet, w("done"));
    await press(terminal, t("action.next"));
  }

  async gate({ wallet, terminal }: World): Promise<void> {
    const [w, t] = [this.#wallet, this.#terminal];
    await press(wallet, w("home.open"));
    await wallet.page.getByLabel(w("open.maximum")).fill("4.00");
    await this.#look("wallet/gate-amount", wallet);
    await press(wallet, w("open.show"));
    await shown(wallet, w("code.title-open"));
    await this.#look("wallet/gate-code", wallet);
    await this.#tab(terminal, "nav.gate", this.#terminal);
    // Before the fare: the page is in 1970 for a moment, and what is drawn in it says that the clock is far behind.
    await terminal.page.clock.install();
    await terminal.page.getByRole("textbox", { name: t("gate.fare") }).fill("2.40");
    await this.#look("terminal/gate-setup", terminal);
    await press(terminal, new RegExp(`^${t("action.start-gate")}`));
    await terminal.page.locator(".gate-ready").waitFor();
    await terminal.page.locator("[data-camera=on]").waitFor();
    await this.#look("terminal/gate-ready", terminal);
    // The verdict goes by itself: the page's clock is stopped while somebody looks.
    for (const [verdict, name] of [
      ["accepted", "terminal/gate-pass"],
      ["repeated", "terminal/gate-already"],
    ] as const) {
      await holdUp(wallet, terminal);
      await terminal.page.locator(`[data-verdict=${verdict}]`).waitFor();
      await terminal.page.clock.pauseAt(Date.now() + 100);
      await this.#lookWhileStill(name, terminal);
      await terminal.page.clock.resume();
      terminal.camera.showNothing();
      await terminal.page.locator(".gate-ready").waitFor();
      await terminal.page.waitForTimeout(2_200);
    }
    await press(terminal, t("action.stop-gate"));
    await press(wallet, w("code.done"));
  }

  /** One wallet pays the other. */
  async personToPerson(payer: Phone, receiver: Phone): Promise<void> {
    const w = this.#wallet;
    await press(receiver, w("home.receive"));
    await receiver.page.getByLabel(w("receive.amount")).fill("7.50");
    await receiver.page.getByLabel(w("receive.note")).fill("Lunch");
    await this.#look("wallet/receive", receiver);
    await press(receiver, w("receive.ask"));
    await shown(receiver, w("ask.title"));
    await this.#look("wallet/receive-request", receiver);
    payer.camera.showNothing();
    await press(payer, w("home.scan"));
    await holdUp(receiver, payer);
    await shown(payer, w("review.title"));
    await this.#look("wallet/review-person", payer);
    await payer.page.locator(".button.main").click();
    await shown(payer, w("code.title", { payee: "Bob" }));
    await press(receiver, w("ask.scan"));
    await holdUp(payer, receiver);
    await receiver.page.locator(".guarantee").waitFor();
    await this.#look("wallet/received", receiver);
    await press(receiver, w("done"));
    await press(payer, w("code.done"));
    await this.#tab(receiver, "nav.history");
    await this.#look("wallet/history-received", receiver);
    await receiver.page.locator("[data-state]").first().click();
    await this.#look("wallet/detail-received", receiver);
    payer.camera.showNothing();
    receiver.camera.showNothing();
  }

  /** Back online: what became of it all. */
  async afterwards({ wallet, terminal, atIssuer, account }: World): Promise<void> {
    const [w, t] = [this.#wallet, this.#terminal];
    await this.#tab(terminal, "nav.sales", this.#terminal);
    await this.#look("terminal/sales-stored", terminal);
    for (const { browser } of [wallet, terminal]) await browser.setOffline(false);
    await press(terminal, t("action.upload"));
    await terminal.page.locator("[data-state=settled]").first().waitFor();
    await this.#look("terminal/sales", terminal);
    await terminal.page.locator("[data-state=settled]").last().click();
    await terminal.page.locator("[data-refund='0']").waitFor();
    await terminal.page.locator("[data-refund] input").fill("1.20");
    await this.#look("terminal/refund", terminal);
    await terminal.page.locator("[data-refund] .danger").click();
    await terminal.page.locator("[data-refund='120']").waitFor();
    await this.#look("terminal/refunded", terminal);
    await back(terminal);
    await this.#tab(terminal, "nav.more", this.#terminal);
    await this.#look("terminal/more", terminal);
    await press(terminal, t("report.title"));
    await terminal.page.locator(".figures").waitFor();
    await this.#look("terminal/report", terminal);

    await press(wallet, w("sync.now"));
    await wallet.page.locator("[data-synced=yes]").waitFor();
    await this.#tab(wallet, "nav.history");
    await wallet.page.locator("[data-state=settled]").first().waitFor();
    await this.#look("wallet/history", wallet);
    await wallet.page.locator("[data-state=settled]").first().click();
    await this.#look("wallet/detail", wallet);
    await back(wallet);
    await this.#tab(wallet, "nav.more");
    const { code } = await must(["issuer", "account", "code", String(account), ...atIssuer]);
    await must([
      "wallet",
      "enrol",
      "--issuer",
      new URL("..", wallet.page.url()).href,
      "--code",
      String(code),
      "--data",
      `${atIssuer[1]}-watch`,
    ]);
    await press(wallet, w("lost.show"));
    await wallet.page.getByText(w("lost.this")).waitFor();
    await this.#look("wallet/more", wallet);
    await press(wallet, w("lost.report"));
    await this.#look("wallet/report-lost", wallet);
    const second = await wallet.browser.newPage();
    await second.goto(wallet.page.url());
    const elsewhere = { ...wallet, page: second };
    await shown(elsewhere, w("tab.title"));
    await this.#look("wallet/other-window", elsewhere);
    await second.close();
  }

  /** The page's clock stands; it is moved on by a millisecond now and then, since whoever looks may need it to go on at all. */
  async #lookWhileStill(name: string, phone: Phone): Promise<void> {
    let isOver = false;
    const looking = this.#look(name, phone).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await phone.page.clock.runFor(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await looking;
  }

  async #tab(phone: Phone, key: string, words = this.#wallet): Promise<void> {
    await phone.page
      .locator("nav.tabs")
      .getByRole("button", { name: words(key), exact: true })
      .click();
  }
}

const press = (phone: Phone, name: string | RegExp): Promise<void> =>
  phone.page.getByRole("button", typeof name === "string" ? { name, exact: true } : { name }).click();
const shown = ({ page }: Phone, title: string): Promise<void> =>
  page.getByRole("heading", { name: title, level: 1, exact: true }).waitFor();
const back = ({ page }: Phone): Promise<void> => page.locator(".back").click();
const holdUp = (from: Phone, to: Phone): Promise<void> => holdBefore(from, /./, to);

function wordsOf(app: string, language: string): Words {
  const read = (file: string): Record<string, string> =>
    JSON.parse(readFileSync(new URL(file, import.meta.url), "utf8"));
  const messages = {
    ...read(`../apps/kit/src/messages/${language}.json`),
    ...read(`../apps/${app}/src/messages/${language}.json`),
  };
  return (key, values = {}) => {
    const text = messages[key];
    if (text === undefined) throw new Error(`There is no message "${key}" in ${language}.`);
    return text.replace(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? "");
  };
}
