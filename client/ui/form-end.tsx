// The end of a form: the error, and the buttons to cancel or submit it.

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
