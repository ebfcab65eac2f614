import { useSyncExternalStore } from "react";
import { texts, type Texts } from "./texts";

export type Language = keyof typeof texts;
export const languages = Object.keys(texts) as Language[];

const KEY = "language";
const listeners = new Set<() => void>();
let language = findLanguage();
document.documentElement.lang = language;

/** The language of the last visit, otherwise the first of the browser's that the app has. */
function findLanguage(): Language {
  const preferred = [stored(), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return languages.find((known) => known === preferred.find((tag) => languages.includes(tag as Language))) ?? "en";
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // The browser blocks cookies and storage.
    return null;
  }
}

export const getLanguage = (): Language => language;

export function setLanguage(next: Language): void {
  language = next;
  document.documentElement.lang = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // The choice lasts until the page is closed.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, getLanguage);
}

/** The texts of the app in the current language. */
export function useTexts(): Texts {
  return texts[useLanguage()];
}
