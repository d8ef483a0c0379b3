/** The run panel. */
import '@vscode/codicons/dist/codicon.css';
import 'uplot/dist/uPlot.min.css';
import type { RunHeader, RunHostMessage, RunStrings } from '../../src/protocol/webview';
import '../shared/base.css';
import { byId } from '../shared/dom';
import { connect, saveState } from '../shared/messaging';
import { registerRunComponents } from '../shared/ui';
import { Charts } from './charts';
import { DetailsView } from './details';
import { HeaderView } from './header';
import './runs.css';
import { RunSeries } from './series';
import type { RunPanelState } from './state';
import { DataTable } from './table';

class RunView {
  private readonly series = new RunSeries();
  private readonly header: HeaderView;
  private readonly details: DetailsView;
  private readonly charts: Charts;
  private readonly table: DataTable;
  private readonly live = byId('live');

  constructor(strings: RunStrings) {
    document.documentElement.lang = strings.language;
    this.header = new HeaderView(strings.progress);
    this.details = new DetailsView(strings);
    this.charts = new Charts(strings, this.series);
    this.table = new DataTable(strings, this.series);
    byId('root').replaceChildren(
      this.header.root,
      this.details.top,
      this.charts.root,
      this.details.root,
      this.table.root,
    );
    this.charts.update();
  }

  setHeader(header: RunHeader): void {
    this.header.update(header);
    this.details.update(header);
    if (this.live.textContent !== header.announcement) this.live.textContent = header.announcement;
  }

  addPoints(message: Extract<RunHostMessage, { type: 'points' }>): void {
    this.series.apply(message);
    this.charts.update();
    this.table.update();
  }
}

registerRunComponents();
let view: RunView | null = null;
connect<RunHostMessage>((message) => {
  switch (message.type) {
    case 'init':
      saveState<RunPanelState>({ directory: message.directory });
      view = new RunView(message.strings);
      break;
    case 'header':
      view?.setHeader(message.header);
      break;
    case 'points':
      view?.addPoints(message);
      break;
  }
});
