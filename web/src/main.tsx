import { render } from 'preact';
import { App } from './app/app';
import { startRouter } from './app/router';
import { session } from './session/current';
import { applyTheme, theme } from './session/theme';
import './style/index.css';
import './words/shell';

applyTheme(theme.peek());
startRouter();
const place = document.getElementById('app');
if (place) render(<App />, place);
void session.resume();
