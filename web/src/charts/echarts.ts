/** The parts of ECharts that the page uses; a chart of another kind is one more name here. */

import { BarChart, HeatmapChart, SankeyChart, TreemapChart } from 'echarts/charts';
import { GridComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([BarChart, HeatmapChart, SankeyChart, TreemapChart, GridComponent, TooltipComponent, VisualMapComponent, SVGRenderer]);

export { init };
