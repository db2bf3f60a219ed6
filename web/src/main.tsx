import { render } from 'preact';
import { App } from './app/app';
import { preload } from './app/outlet';
import { startRouter } from './app/router';
import { session } from './session/current';
import { recall } from './session/preferences';
import { applyTheme, theme } from './session/theme';
import './style/index.css';
import './words/shell';

applyTheme(theme.peek());
startRouter();
const place = document.getElementById('app');
if (place) render(<App />, place);
// While the session is asked for, the page is fetched.
if (recall('session') !== null) preload(location.pathname);
void session.resume();
