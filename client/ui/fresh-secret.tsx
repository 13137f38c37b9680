// A secret that the server reveals once: it is read, copied, and gone when the dialog closes.
import { applicationTexts } from '../texts/applications.ts'
import { Dialog } from './dialog.tsx'
import { showProblem, showToast } from './toast.tsx'

const texts = applicationTexts

interface FreshSecretProps {
  title: string
  label: string
  secret: string
  onClose: () => void
}

export const FreshSecret = ({ title, label, secret, onClose }: FreshSecretProps) => (
  <Dialog title={title} onClose={onClose}>
    <p>{texts.once}</p>
    <div className="row">
      <input
        readOnly
        value={secret}
        aria-label={label}
        onFocus={(event) => event.target.select()}
        data-first
      />
      <button
        type="button"
        className="primary"
        onClick={() => navigator.clipboard.writeText(secret).then(() => showToast(texts.copied), showProblem)}
      >
        {texts.copy}
      </button>
    </div>
  </Dialog>
)
