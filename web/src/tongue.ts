/** The language in force, for every component below the page. */

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { tongueOf, type Tongue } from './language';

export const TongueContext = createContext<Tongue>(tongueOf('en'));
export const useTongue = (): Tongue => useContext(TongueContext);
