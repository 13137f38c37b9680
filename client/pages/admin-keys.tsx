// Service keys on the administration page.
import { useState } from 'react'
import type { ServiceKeyResponse, ServiceScope } from '../../shared/api/service-keys.ts'
import { scopeNouns } from '../../shared/applications.ts'
import * as applications from '../applications-api.ts'
import { applicationTexts } from '../texts/applications.ts'
import { ago, atTime } from '../texts/format.ts'
import { Confirm, Dialog } from '../ui/dialog.tsx'
import { FormEnd } from '../ui/form-end.tsx'
import { FreshSecret } from '../ui/fresh-secret.tsx'
import { Icon } from '../ui/icons.tsx'
import { Menu } from '../ui/menu.tsx'
import { Nothing, Table, usePages } from '../ui/table.tsx'
import { showProblem } from '../ui/toast.tsx'

const texts = applicationTexts.keys
type Asked =
  | { what: 'make' }
  | { what: 'rotate' | 'revoke'; row: ServiceKeyResponse }
  | { what: 'shown'; key: string }

export const KeysTab = () => {
  const { items, load } = usePages(applications.listKeys)
  const [asked, setAsked] = useState<Asked | null>(null)
  const close = () => setAsked(null)
  const show = ({ key }: ServiceKeyResponse) => {
    setAsked(key === null ? null : { what: 'shown', key })
    load()
  }
  return (
    <>
      <p className="dim">{texts.lead}</p>
      <div className="filters">
        <button type="button" className="primary" onClick={() => setAsked({ what: 'make' })}>
          <Icon name="plus" /> {texts.make}
        </button>
      </div>
      {items?.length === 0 ? (
        <Nothing text={texts.empty} />
      ) : (
        <Table heads={texts.heads}>
          {items?.map((row) => (
            <tr key={row.id}>
              <td>
                {row.name}
                {row.hint !== null && <span className="tag">{row.hint}</span>}
              </td>
              <td>{row.issuer}</td>
              <td>{row.scopes.join(', ')}</td>
              <td className="nowrap">
                {row.last_used_at === null ? texts.unused : texts.used(ago(row.last_used_at))}
              </td>
              <td className="nowrap">
                {row.expires_at === null ? texts.endless : texts.ends(atTime(row.expires_at))}
              </td>
              <td>
                {row.state}
                {row.state === 'active' && row.former_until !== null && isAhead(row.former_until) && (
                  <span className="tag">{texts.formerUntil(atTime(row.former_until))}</span>
                )}
              </td>
              <td className="menu-cell">
                {row.state === 'active' && (
                  <Menu
                    label={applicationTexts.manage(row.name)}
                    items={[
                      { label: texts.rotate, onSelect: () => setAsked({ what: 'rotate', row }) },
                      {
                        label: texts.revoke,
                        isDanger: true,
                        onSelect: () => setAsked({ what: 'revoke', row }),
                      },
                    ]}
                  >
                    <Icon name="more" />
                  </Menu>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {asked?.what === 'make' && <MakeKey onClose={close} onMade={show} />}
      {asked?.what === 'shown' && (
        <FreshSecret title={texts.ready} label={texts.label} secret={asked.key} onClose={close} />
      )}
      {asked?.what === 'rotate' && (
        <Confirm
          title={texts.rotateTitle(asked.row.name)}
          text={texts.rotateText}
          action={texts.rotate}
          onClose={close}
          onDone={() => applications.rotateKey(asked.row.id).then(show, showProblem)}
        />
      )}
      {asked?.what === 'revoke' && (
        <Confirm
          title={texts.revokeTitle(asked.row.name)}
          text={texts.revokeText}
          action={texts.revoke}
          onClose={close}
          onDone={() => {
            close()
            applications.revokeKey(asked.row.id).then(load, showProblem)
          }}
        />
      )}
    </>
  )
}

const isAhead = (time: string): boolean => Date.parse(time) > Date.now()
const dayMs = 86_400_000

interface MakeKeyProps {
  onClose: () => void
  onMade: (made: ServiceKeyResponse) => void
}

const MakeKey = ({ onClose, onMade }: MakeKeyProps) => {
  const [problem, setProblem] = useState<string | null>(null)
  return (
    <Dialog title={texts.makeTitle} onClose={onClose}>
      <form
        onChange={() => setProblem(null)}
        onSubmit={(event) => {
          event.preventDefault()
          const fields = new FormData(event.currentTarget)
          const field = (name: string) => String(fields.get(name) ?? '').trim()
          const scopes = scopeNouns.flatMap((noun): ServiceScope[] => {
            const chosen = field(noun)
            return chosen === 'all' ? [noun] : chosen === 'read' ? [`${noun}:read`] : []
          })
          if (scopes.length === 0) return setProblem(texts.noScope)
          const days = Number(field('days'))
          applications
            .createKey({
              name: field('name'),
              issuer: field('issuer'),
              scopes,
              expires_at: days === 0 ? null : new Date(Date.now() + days * dayMs).toISOString(),
            })
            .then(onMade, (error: Error) => setProblem(error.message))
        }}
      >
        <label className="field">
          {texts.name}
          <input name="name" minLength={2} maxLength={100} required data-first />
        </label>
        <label className="field">
          {texts.issuer}
          <input name="issuer" maxLength={255} required aria-describedby="issuer-hint" />
        </label>
        <p className="hint" id="issuer-hint">
          {texts.issuerHint}
        </p>
        <fieldset className="choices">
          <legend>{texts.scopes}</legend>
          {scopeNouns.map((noun) => (
            <label key={noun} className="choice">
              {texts.nouns[noun]}
              <select name={noun} defaultValue="none">
                <option value="none">{texts.none}</option>
                <option value="read">{texts.read}</option>
                <option value="all">{texts.all}</option>
              </select>
            </label>
          ))}
        </fieldset>
        <label className="field">
          {texts.expires}
          <select name="days" defaultValue="365">
            {Object.entries(texts.periods).map(([days, label]) => (
              <option key={days} value={days}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <FormEnd problem={problem} cancel={applicationTexts.cancel} submit={texts.make} onCancel={onClose} />
      </form>
    </Dialog>
  )
}
