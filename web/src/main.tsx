import { render } from 'preact';
import { App } from './app';
import { Session } from './session';
import './style.css';
import { applyTheme, preferredTheme } from './theme';

applyTheme(preferredTheme());
const session = new Session();
const place = document.getElementById('app');
if (place) render(<App session={session} />, place);
void session.resume();
