/** What is around every page: navigation, search, the state of the connection, the user. */

import { useSignalEffect } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { answers, connection } from '../live/current';
import { useUser } from '../session/current';
import { Brand } from '../ui/brand';
import { IconButton } from '../ui/button';
import { ConfirmPlace } from '../ui/confirm';
import { Icon } from '../ui/icon';
import { LiveState } from '../ui/live_state';
import { ToastPlace } from '../ui/toast';
import { useTongue } from '../words/tongue';
import { Announcements } from './announcements';
import { ConnectionBanner } from './connection_banner';
import { MaintenanceBanner } from './maintenance_banner';
import { Navigation } from './navigation';
import { Outlet } from './outlet';
import { openPalette } from './overlays';
import { PalettePlace } from './palette';
import { bound } from './router';
import { ShortcutsPlace, useShortcuts } from './shortcuts';
import { UserMenu } from './user_menu';

export function Shell() {
  const { say } = useTongue();
  const user = useUser();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    connection.open();
    return () => {
      connection.close();
      answers.clear();
    };
  }, [user.id]);
  useSignalEffect(() => {
    void bound.value; // with each page that is opened
    setOpen(false);
  });
  useShortcuts();
  return (
    <div
      class="shell"
      data-navigation={isOpen ? 'open' : undefined}
      onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}
    >
      <a class="skip" href="#content">
        {say('page.skip')}
      </a>
      <header class="topbar">
        <span class="navigation-button">
          <IconButton
            icon={isOpen ? 'close' : 'menu'}
            label={say(isOpen ? 'nav.close' : 'nav.open')}
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          />
        </span>
        <a class="home" href="/" aria-label="SteinmetZ">
          <Brand />
        </a>
        <button type="button" class="palette-button" onClick={() => openPalette()}>
          <Icon name="search" />
          <span>{say('palette.open')}</span>
          <kbd>Ctrl K</kbd>
        </button>
        <Connected />
        <Announcements />
        <UserMenu />
      </header>
      <aside class="sidebar">
        <Navigation />
      </aside>
      {isOpen && <div class="scrim" onClick={() => setOpen(false)} />}
      <main id="content" tabIndex={-1}>
        <ConnectionBanner />
        <MaintenanceBanner />
        <Outlet />
      </main>
      <ToastPlace />
      <ConfirmPlace />
      <PalettePlace />
      <ShortcutsPlace />
    </div>
  );
}

/** Apart, so that the shell is not drawn anew with it. */
function Connected() {
  return <LiveState live={connection.state.value} />;
}
