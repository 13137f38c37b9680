import { isLevel, type Level, levels } from '../../shared/levels.ts'
import { levelNames } from '../texts/levels.ts'

interface LevelSelectProps {
  label: string
  value: Level | null
  /** The label for "no level"; without it, a level must be chosen. */
  none?: string
  name?: string
  onChange?: (level: Level | null) => void
}

/** A level selector; works on its own (`onChange`) and in a form (`name`). */
export const LevelSelect = ({ label, value, none, name, onChange }: LevelSelectProps) => (
  <select
    aria-label={label}
    {...(name === undefined ? {} : { name })}
    {...(onChange === undefined ? { defaultValue: value ?? '' } : { value: value ?? '' })}
    onChange={(event) => onChange?.(isLevel(event.target.value) ? event.target.value : null)}
  >
    {none !== undefined && <option value="">{none}</option>}
    {levels.map((level) => (
      <option key={level} value={level}>
        {levelNames[level]}
      </option>
    ))}
  </select>
)
