// Every page there is: its address, or the way to it from a list.

import type { Page } from "@playwright/test";

/** One page. */
export interface Place {
  name: string;
  /** Where it is, or how it is found. */
  at: string | ((page: Page) => Promise<string>);
  /** What it answers; 200 where nothing is said. */
  status?: number;
}

/** The first link of a list that leads below it. */
function first(list: string, pattern: RegExp, then = ""): (page: Page) => Promise<string> {
  return async (page) => {
    const answer = await page.goto(list);
    if (answer === null || answer.status() === 404) return list;
    const links = await page.locator("main a[href]").evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
    const found = links.find((link) => pattern.test(link));
    return found === undefined ? `${list}/none` : found.replace(/[?#].*$/, "") + then;
  };
}

const ID = "[0-9a-f-]{36}";
const QUESTION = "FIND heroku_team THAT HAS heroku_account_member AS u";

/** The address of the console with a question. */
export const asked = (question: string, more = ""): string => `/query?q=${encodeURIComponent(question)}${more}`;

/** The lists and pages that the way around leads to. */
export const LISTS = [
  "/", "/people", "/teams", "/apps", "/enterprise-accounts", "/matrix", "/graph", "/query", "/changes", "/findings", "/rules",
  "/connectors", "/provisioning", "/audit", "/settings", "/styleguide",
];

/** All of them. */
export const PLACES: Place[] = [
  ...LISTS.map((at) => ({ name: at, at })),
  { name: "setting up without a link", at: "/setup", status: 404 },
  { name: "the second step of setting up", at: "/setup/heroku" },
  { name: "a person", at: first("/people", new RegExp(`^/people/${ID}`)) },
  { name: "a person's apps", at: first("/people", new RegExp(`^/people/${ID}`), "/apps") },
  { name: "a person beside a version", at: first("/people", new RegExp(`^/people/${ID}`), "?compare=1") },
  { name: "employees who left", at: "/people/employees" },
  { name: "accounts to be settled", at: "/people/employees?only=open" },
  { name: "employees", at: "/people/employees?only=all" },
  { name: "taking a roster in", at: "/people/employees/add" },
  { name: "a team", at: first("/teams", new RegExp(`^/teams/${ID}`)) },
  { name: "an app", at: first("/apps", new RegExp(`^/apps/${ID}`)) },
  { name: "an Enterprise account", at: first("/enterprise-accounts", new RegExp(`^/enterprise-accounts/${ID}`)) },
  { name: "a change", at: first("/changes", /^\/changes\/[^?]+/) },
  { name: "a finding", at: first("/findings", /^\/findings\/[0-9a-z-]{8,}/) },
  { name: "a connector", at: first("/connectors", new RegExp(`^/connectors/${ID}`)) },
  { name: "a connector's version", at: first("/connectors", new RegExp(`^/connectors/${ID}`), "/versions/1") },
  { name: "a connector's settings", at: first("/connectors", new RegExp(`^/connectors/${ID}`), "/settings") },
  { name: "adding a connector", at: "/connectors/add" },
  { name: "a connector that there is not", at: "/connectors/add?q=nothing" },
  { name: "connecting Heroku", at: "/connectors/add/heroku" },
  { name: "an entry of the audit trail", at: first("/audit", /^\/audit\/[^?/]+\/\d+/) },
  { name: "the audit trail of refusals", at: "/audit?outcome=refused&code=login" },
  { name: "tokens", at: "/settings/tokens" },
  { name: "people who sign in", at: "/settings/accounts" },
  { name: "a person who signs in", at: first("/settings/accounts", new RegExp(`^/settings/accounts/${ID}`)) },
  { name: "who owns what", at: "/settings/owners" },
  { name: "how people sign in", at: "/settings/sign-in" },
  { name: "the installation", at: "/settings/installation" },
  { name: "a rule", at: first("/rules", /^\/rules\/D[0-9]+$/) },
  { name: "a rule looked back on", at: "/rules/D01?past=yes" },
  { name: "a rule that leaves something open", at: "/rules/D13" },
  { name: "a rule of one's own", at: first("/rules?only=own", /^\/rules\/(?!add|channels)[^?/]+$/) },
  { name: "editing a rule", at: first("/rules?only=own", /^\/rules\/(?!add|channels)[^?/]+$/, "/edit") },
  { name: "adding a rule", at: `/rules/add?q=${encodeURIComponent("FIND heroku_team")}` },
  { name: "where alerts go", at: "/rules/channels" },
  { name: "a channel", at: first("/rules/channels", /^\/rules\/channels\/(?!add)[^?/]+$/) },
  { name: "adding a channel", at: "/rules/channels/add?kind=mail" },
  { name: "a plan that waits", at: first("/provisioning?state=waiting", /^\/provisioning\/[0-9a-f]{12}/) },
  { name: "a plan that was applied", at: first("/provisioning?state=applied", /^\/provisioning\/[0-9a-f]{12}/) },
  { name: "planning a change", at: "/provisioning/add?action=grant&on=app" },
  { name: "a list of the past", at: "/apps?as_of=1" },
  { name: "a list without rows", at: "/apps?q=nothing+is+called+so" },
  { name: "a question as a table", at: asked(`${QUESTION} RETURN u.email LIMIT 50`) },
  { name: "a question as a tree", at: asked(`${QUESTION} RETURN TREE`, "&limit=100") },
  { name: "a question as JSON", at: asked(`${QUESTION} RETURN u.email LIMIT 50`, "&view=json") },
  { name: "a question's plan", at: asked(`${QUESTION} RETURN u.email`, "&view=plan") },
  { name: "a question that is wrong", at: asked("FIND heroku_tem WHIT name"), status: 422 },
  { name: "questions", at: "/query/questions" },
  { name: "a question of the library", at: "/query/questions/old-invitations" },
  { name: "saving a question", at: `/query/questions/add?q=${encodeURIComponent(QUESTION)}` },
  { name: "a question drawn", at: `/graph?q=${encodeURIComponent(QUESTION)}` },
  { name: "what is not there", at: "/nowhere", status: 404 },
];
