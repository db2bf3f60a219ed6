import { useTongue } from '../../words/tongue';
import type { Department } from './overview';

export function DepartmentBars({ departments, changed }: { departments: Department[]; changed: boolean }) {
  const { say, count } = useTongue();
  const most = Math.max(1, ...departments.map((department) => department.count));
  return (
    <section class="card departments" data-changed={changed ? '' : undefined}>
      <h2>{say('overview.departments_title')}</h2>
      {departments.length === 0 ? (
        <p class="quiet empty">{say('overview.departments_empty')}</p>
      ) : (
        <ul>
          {departments.toSorted((one, other) => other.count - one.count).map((department) => (
            <li key={department.name}>
              <span class="department">{department.name}</span>
              <span class="number">{count(department.count)}</span>
              <svg class="meter" aria-hidden="true" height="6">
                <rect class="meter-all" width="100%" height="6" rx="3" />
                <rect class="meter-part" width={`${(100 * department.count) / most}%`} height="6" rx="3" />
              </svg>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
