import { session, useUser } from '../session/current';
import { Avatar } from '../ui/avatar';
import { Button } from '../ui/button';
import { Icon } from '../ui/icon';
import { Menu } from '../ui/menu';
import { Tastes } from '../ui/tastes';
import { toast } from '../ui/toast';
import { useTongue } from '../words/tongue';
import { PAGES } from './pages';
import { showShortcuts } from './overlays';

export function UserMenu() {
  const { say } = useTongue();
  const user = useUser();
  const profile = PAGES.find((page) => page.path === '/profile');
  const leave = () => {
    session.signOut().catch(() => toast(say('sign_out.failed'), { isProblem: true }));
  };
  return (
    <Menu
      class="user-menu"
      label={say('user.menu', { name: user.name })}
      face={<Avatar name={user.name} />}
    >
      {(close) => (
        <>
          <p class="who">
            <b>{user.name}</b>
            <span class="quiet small">
              {say(`role.${user.role}`)} · {user.email}
            </span>
          </p>
          {profile && (
            <a class="menu-item" href={profile.path} onClick={close}>
              <Icon name="profile" />
              {say(profile.title)}
            </a>
          )}
          <button
            type="button"
            class="menu-item"
            onClick={() => {
              close();
              showShortcuts();
            }}
          >
            <Icon name="keyboard" />
            {say('shortcuts.title')}
            <kbd>?</kbd>
          </button>
          <Tastes />
          <Button icon="leave_session" onClick={leave}>
            {say('sign_out')}
          </Button>
        </>
      )}
    </Menu>
  );
}
