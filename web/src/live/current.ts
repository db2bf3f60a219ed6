/** The connection and the answers of this page. */

import { api, session } from '../session/current';
import { Answers } from './answers';
import { Connection } from './connection';

export const connection = new Connection(session);
export const answers = new Answers(api, connection);
answers.bind('/api/dashboard/overview', 'dashboard:update');
answers.watch(document);
