import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { useTongue } from '../words/tongue';

interface Props<Id extends string> {
  tabs: readonly { id: Id; title: string; count?: number }[];
  shown: Id;
  show: (id: Id) => void;
  label?: string;
  children: ComponentChildren;
}

/** Sections of which one is shown; arrows, Home and End go from tab to tab. */
export function Tabs<Id extends string>({ tabs, shown, show, label, children }: Props<Id>) {
  const { say, count } = useTongue();
  const base = useId();
  const bar = useRef<HTMLDivElement>(null);
  const turn = (event: KeyboardEvent) => {
    const at = tabs.findIndex((tab) => tab.id === shown);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    if (!next) return;
    show(next.id);
    bar.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label ?? say('tabs.label')} ref={bar} onKeyDown={turn}>
        {tabs.map((tab) => (
          <button
            type="button"
            role="tab"
            key={tab.id}
            id={`${base}-${tab.id}`}
            data-tab={tab.id}
            aria-selected={tab.id === shown}
            aria-controls={`${base}-panel`}
            tabIndex={tab.id === shown ? 0 : -1}
            onClick={() => show(tab.id)}
          >
            {tab.title}
            {tab.count !== undefined && <span class="quiet number"> {count(tab.count)}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${shown}`}>
        {children}
      </div>
    </div>
  );
}
