// Texts of pages with a single form: the first account, signing in, opening a link.
export const formTexts = {
  name: 'Name',
  email: 'E-mail',
  password: 'Password',
  passwordAgain: 'Password again',
  passwordHint: 'At least 8 characters.',
  notTheSame: 'The two passwords are not the same.',
  failed: 'That did not work.',
}

export const guestTexts = {
  title: 'You are invited to a board',
  nameLead: 'Say who you are. Others see this name, marked as a guest.',
  passwordLead: 'This link has a password.',
  name: 'Your name',
  password: 'Password of the link',
  open: 'Open the board',
}

export const signInTexts = {
  title: 'Sign in',
  action: 'Sign in',
  newTitle: 'Create an account',
  newAction: 'Create account',
  haveAccount: 'Already have an account?',
  noAccount: 'No account?',
  create: 'Create one',
  noSignUp: 'No account? Ask an administrator, or open a share link: it needs none.',
}

export const setupTexts = {
  looking: 'Looking at the link',
  title: 'Welcome',
  lead: 'Create the first account. It administers this server.',
  action: 'Create account',
  incompleteTitle: 'This link is not complete',
  incomplete: 'Open the whole set-up link, as the server printed it when it started.',
  usedTitle: 'This link no longer works',
  used: 'It has been used, or the server has printed a newer one since. If there is no account yet, restart the server: it prints a new link.',
  signIn: 'Sign in',
}
