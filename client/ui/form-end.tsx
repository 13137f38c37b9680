// The end of a form: what went wrong, and the buttons that give it up or send it.

interface FormEndProps {
  problem: string | null
  cancel: string
  submit: string
  onCancel: () => void
}

export const FormEnd = ({ problem, cancel, submit, onCancel }: FormEndProps) => (
  <>
    {problem !== null && (
      <p className="problem" role="alert">
        {problem}
      </p>
    )}
    <div className="actions end">
      <button type="button" onClick={onCancel}>
        {cancel}
      </button>
      <button type="submit" className="primary">
        {submit}
      </button>
    </div>
  </>
)
