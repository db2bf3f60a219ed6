import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { useEffect, useId, useRef } from 'preact/hooks';
import { theme } from '../session/theme';

interface Props {
  title: string;
  option: EChartsCoreOption;
  height?: number;
  /** One sentence for those who do not see it. */
  summary: string;
}

/** A chart of ECharts, for what lines and bars do not show: heat maps, tree maps, flows. Loaded with the first one. */
export function EChart({ title, option, height = 280, summary }: Props) {
  const caption = useId();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const now = useRef(option);
  now.current = option;
  useEffect(() => {
    let isGone = false;
    let watch: ResizeObserver | null = null;
    void import('./echarts').then(({ init }) => {
      const box = place.current;
      if (isGone || !box) return;
      chart.current = init(box, isDark() ? 'dark' : null, { renderer: 'svg' });
      chart.current.setOption({ ...looks(), ...now.current });
      watch = new ResizeObserver(() => chart.current?.resize());
      watch.observe(box);
    });
    return () => {
      isGone = true;
      watch?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, [theme.value]);
  useEffect(() => chart.current?.setOption(option), [option]);
  return (
    <figure class="echart" aria-labelledby={caption}>
      <figcaption id={caption}>
        <h2>{title}</h2>
      </figcaption>
      <div ref={place} role="img" aria-label={summary} style={{ height: `${height}px` }} />
    </figure>
  );
}

/** The page's own colours and type; ECharts takes values only, no custom properties. */
function looks(): EChartsCoreOption {
  const probe = document.body.appendChild(document.createElement('span'));
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const told = {
    backgroundColor: 'transparent',
    animationDuration: 200,
    color: ['--series-1', '--series-2', '--series-3', '--series-4'].map(colour),
    textStyle: { fontFamily: getComputedStyle(document.documentElement).fontFamily, color: colour('--quiet') },
    grid: { left: 8, right: 8, top: 16, bottom: 8, containLabel: true },
  };
  probe.remove();
  return told;
}

function isDark(): boolean {
  return theme.peek() === 'dark' || (theme.peek() === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
}
