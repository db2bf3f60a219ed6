import { useState } from 'preact/hooks';
import { asProblem } from '../../api/problem';
import type { TimeEntryView, WeekDayView, WeekView } from '../../api/types';
import { useQuery } from '../../app/router';
import { useAnswer } from '../../live/use_answer';
import { api, may, useUser } from '../../session/current';
import { AnswerView } from '../../ui/answer_view';
import { Badge } from '../../ui/badge';
import { Button, IconButton } from '../../ui/button';
import { Combobox } from '../../ui/combobox';
import { PageHeader } from '../../ui/page_header';
import { companyToday } from '../../ui/periods';
import { Progress } from '../../ui/progress';
import { toast } from '../../ui/toast';
import '../../words/people';
import { useTongue } from '../../words/tongue';
import './people.css';
import { TimeDialog } from './time_dialog';
import { aWeekLater, moved } from './weeks';

export default function TimePage() {
  const { say, day } = useTongue();
  const { role } = useUser();
  const [query, setQuery] = useQuery();
  const week = query.get('week') ?? companyToday();
  const employeeId = Number(query.get('employee')) || undefined;
  const answer = useAnswer('/api/time-entries/week', { query: { week, ...(employeeId ? { employeeId } : {}) } });
  const shown = answer.body?.data;
  return (
    <div class="page">
      <PageHeader
        title={say('nav.time')}
        note={shown && `${shown.employeeName} · ${say('time.week', { day: day(shown.weekStart) })}`}
        actions={
          <>
            <IconButton icon="left" label={say('time.previous')} onClick={() => setQuery({ week: moved(week, -7) })} />
            <Button onClick={() => setQuery({ week: null })}>{say('time.this')}</Button>
            <IconButton icon="right" label={say('time.next')} onClick={() => setQuery({ week: moved(week, 7) })} />
          </>
        }
      />
      {role !== 'clerk' && (
        <div class="time-person">
          <Combobox
            label={say('time.employee')}
            value={shown ? { id: shown.employeeId, title: shown.employeeName } : null}
            choose={(choice) => setQuery({ employee: choice ? String(choice.id) : null })}
            search={async (q, signal) => {
              const { data } = await api.get('/api/employees', { query: { q, limit: 8 }, signal });
              return data.map((row) => ({ id: row.id, title: `${row.firstName} ${row.lastName}`, note: row.department }));
            }}
          />
        </div>
      )}
      <AnswerView answer={answer}>{({ data }) => <Week week={data} isOwn={employeeId === undefined} />}</AnswerView>
    </div>
  );
}

function Week({ week, isOwn }: { week: WeekView; isOwn: boolean }) {
  const { say, hours } = useTongue();
  const [editing, setEditing] = useState<{ date: string; entry: TimeEntryView | null } | null>(null);
  const [isCopying, setCopying] = useState(false);
  const mayWrite = may(isOwn ? 'clerk' : 'manager');
  const whose = isOwn ? {} : { employeeId: week.employeeId };
  const copy = async () => {
    setCopying(true);
    try {
      const { data: before } = await api.get('/api/time-entries/week', { query: { week: moved(week.weekStart, -7), employeeId: week.employeeId } });
      const there = week.days.flatMap((day) => day.entries);
      const free = new Set(week.days.filter((day) => !day.leave && !day.holiday).map((day) => day.date));
      const entries = aWeekLater(before.days.flatMap((day) => day.entries), there, companyToday()).filter(({ date }) => free.has(date));
      for (const { date, startMinute, endMinute, project, note } of entries) {
        await api.post('/api/time-entries', { body: { ...whose, date, startMinute, endMinute, project, note } });
      }
      toast(entries.length > 0 ? say('time.copied', { count: entries.length }) : say('time.nothing_copied'));
    } catch (error) {
      toast(asProblem(error).detail, { isProblem: true });
    } finally {
      setCopying(false);
    }
  };
  return (
    <>
      <div class="week-sums">
        <b class="number">{say('time.sum', { worked: hours(week.minutes), target: hours(week.targetMinutes) })}</b>
        <Progress done={Math.min(week.minutes, week.targetMinutes)} total={Math.max(1, week.targetMinutes)} label={say('nav.time')} />
        {mayWrite && (
          <Button icon="copy" busy={isCopying} onClick={() => void copy()}>
            {say('time.copy')}
          </Button>
        )}
      </div>
      <div class="week">
        {week.days.map((day) => (
          <WeekDay key={day.date} day={day} mayWrite={mayWrite} edit={(entry) => setEditing({ date: day.date, entry })} />
        ))}
      </div>
      {editing && <TimeDialog {...editing} employeeId={isOwn ? null : week.employeeId} onClose={() => setEditing(null)} />}
    </>
  );
}

function WeekDay({ day, mayWrite, edit }: { day: WeekDayView; mayWrite: boolean; edit: (entry: TimeEntryView | null) => void }) {
  const tongue = useTongue();
  const { say, hours, minuteOfDay } = tongue;
  const today = companyToday();
  const canAdd = mayWrite && day.date <= today && day.leave === null;
  return (
    <section class="week-day" aria-label={tongue.day(day.date)} data-free={day.targetMinutes === 0 ? '' : undefined} data-today={day.date === today ? '' : undefined}>
      <header>
        <b>{tongue.weekday(day.date)}</b>
        <span class="quiet small number">{hours(day.minutes)} h</span>
      </header>
      {day.holiday && <Badge tone="active">{day.holiday}</Badge>}
      {day.leave && <Badge tone="good">{say(`leave.kind.${day.leave.kind}`)}</Badge>}
      {day.entries.length > 0 ? (
        <ul>
          {day.entries.map((entry) => (
            <li key={entry.id}>
              <button type="button" class="time-entry" disabled={!mayWrite} onClick={() => edit(entry)}>
                <b class="number">
                  {minuteOfDay(entry.startMinute)}–{minuteOfDay(entry.endMinute)}
                </b>
                <span>{entry.project}</span>
                {entry.note && <span class="small">{entry.note}</span>}
              </button>
            </li>
          ))}
        </ul>
      ) : (
        day.targetMinutes > 0 && day.date <= today && <p class="quiet small">{say('time.none')}</p>
      )}
      {canAdd && (
        <span class="add">
          <IconButton icon="plus" label={say('time.add', { day: tongue.day(day.date) })} onClick={() => edit(null)} />
        </span>
      )}
    </section>
  );
}
