/** The place in the top bar for what announces itself, such as a bell of notifications: one component a line. */

import type { ComponentType } from 'preact';

const PLACES: readonly ComponentType[] = [];

export function Announcements() {
  return PLACES.length === 0 ? null : (
    <div class="announcements">
      {PLACES.map((Place, index) => (
        <Place key={index} />
      ))}
    </div>
  );
}
