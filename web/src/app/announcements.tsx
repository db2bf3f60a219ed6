/** The place in the top bar for what announces itself, such as a bell of notifications: one component a line. */

import type { ComponentType } from 'preact';
import { JobChip } from '../pages/works/job_chip';
import { Bell } from './bell';

const PLACES: readonly ComponentType[] = [JobChip, Bell];

export function Announcements() {
  return PLACES.length === 0 ? null : (
    <div class="announcements">
      {PLACES.map((Place, index) => (
        <Place key={index} />
      ))}
    </div>
  );
}
