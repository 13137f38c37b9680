// Webhooks on the administration page: their events, whether deliveries arrive, and what their servers answered.
import { useEffect, useState } from 'react'
import type { WebhookCreate, WebhookDeliveryResponse, WebhookResponse } from '../../shared/api/webhooks.ts'
import { webhookEventTypes } from '../../shared/applications.ts'
import * as applications from '../applications-api.ts'
import { applicationTexts } from '../texts/applications.ts'
import { ago, atTime } from '../texts/format.ts'
import { Confirm, Dialog } from '../ui/dialog.tsx'
import { FormEnd } from '../ui/form-end.tsx'
import { FreshSecret } from '../ui/fresh-secret.tsx'
import { Icon } from '../ui/icons.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { Nothing, Table, usePages } from '../ui/table.tsx'
import { showProblem, showToast } from '../ui/toast.tsx'

const texts = applicationTexts.hooks
type Asked =
  | { what: 'make' }
  | { what: 'remove' | 'deliveries'; row: WebhookResponse }
  | { what: 'shown'; secret: string }

export const WebhooksTab = () => {
  const { items, load } = usePages(applications.listWebhooks)
  const [asked, setAsked] = useState<Asked | null>(null)
  const close = () => setAsked(null)
  const show = ({ secret }: WebhookResponse) => {
    setAsked(secret === null ? null : { what: 'shown', secret })
    load()
  }
  const after = (work: Promise<unknown>) => work.then(load, showProblem)
  const actionsFor = (row: WebhookResponse): MenuItem[] => [
    { label: texts.deliveries, onSelect: () => setAsked({ what: 'deliveries', row }) },
    ...(row.state === 'disabled'
      ? [
          {
            label: texts.enable,
            onSelect: () => after(applications.updateWebhook(row.id, { enabled: true })),
          },
        ]
      : [
          {
            label: texts.test,
            onSelect: () => after(applications.testWebhook(row.id).then(() => showToast(texts.tested))),
          },
          {
            label: texts.disable,
            onSelect: () => after(applications.updateWebhook(row.id, { enabled: false })),
          },
        ]),
    { label: texts.rotate, onSelect: () => applications.rotateWebhook(row.id).then(show, showProblem) },
    { label: texts.remove, isDanger: true, onSelect: () => setAsked({ what: 'remove', row }) },
  ]
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
              <td className="breaks">
                {row.url}
                {row.description !== '' && <span className="tag">{row.description}</span>}
                {row.issuer !== null && <span className="tag">{row.issuer}</span>}
              </td>
              <td>
                {row.events
                  .map((event) => (event === '*' ? texts.everything.toLowerCase() : event))
                  .join(', ')}
              </td>
              <td className="nowrap">{texts.waiting(row.pending)}</td>
              <td>
                {row.state}
                {row.disabled_reason !== null && <div className="dim">{row.disabled_reason}</div>}
              </td>
              <td className="menu-cell">
                <Menu label={applicationTexts.manage(row.url)} items={actionsFor(row)}>
                  <Icon name="more" />
                </Menu>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {asked?.what === 'make' && <MakeWebhook onClose={close} onMade={show} />}
      {asked?.what === 'shown' && (
        <FreshSecret title={texts.ready} label={texts.label} secret={asked.secret} onClose={close} />
      )}
      {asked?.what === 'deliveries' && (
        <Deliveries
          webhook={asked.row}
          onClose={() => {
            close()
            load() // a delivery may have changed its state
          }}
        />
      )}
      {asked?.what === 'remove' && (
        <Confirm
          title={texts.removeTitle}
          text={texts.removeText(asked.row.url)}
          action={texts.remove}
          onClose={close}
          onDone={() => {
            close()
            void after(applications.removeWebhook(asked.row.id))
          }}
        />
      )}
    </>
  )
}

const Deliveries = ({ webhook, onClose }: { webhook: WebhookResponse; onClose: () => void }) => {
  const [items, setItems] = useState<readonly WebhookDeliveryResponse[] | null>(null)
  useEffect(() => {
    const look = () =>
      applications.listDeliveries(webhook.id).then((page) => setItems(page.items), showProblem)
    void look()
    const timer = setInterval(look, 3000)
    return () => clearInterval(timer)
  }, [webhook.id])
  return (
    <Dialog title={texts.deliveries} onClose={onClose} size="wide">
      {items?.length === 0 && <p>{texts.noDeliveries}</p>}
      {items !== null && items.length > 0 && (
        <Table heads={texts.deliveryHeads}>
          {items.map((row) => (
            <tr key={row.id}>
              <td className="nowrap" title={atTime(row.created_at)}>
                {ago(row.created_at)}
              </td>
              <td className="nowrap">{row.type}</td>
              <td className="nowrap">{row.state}</td>
              <td>{row.attempts}</td>
              <td className="breaks">
                {[row.last_error ?? row.last_status, row.last_answer]
                  .filter((part) => part !== null)
                  .join(' · ')}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Dialog>
  )
}

const nouns = [...new Set(webhookEventTypes.map((type) => type.replace(/\..*/, '')))]

interface MakeWebhookProps {
  onClose: () => void
  onMade: (made: WebhookResponse) => void
}

const MakeWebhook = ({ onClose, onMade }: MakeWebhookProps) => {
  const [problem, setProblem] = useState<string | null>(null)
  const [isAll, setAll] = useState(true)
  return (
    <Dialog title={texts.make} onClose={onClose}>
      <form
        onChange={() => setProblem(null)}
        onSubmit={(event) => {
          event.preventDefault()
          const fields = new FormData(event.currentTarget)
          const events = (isAll ? ['*'] : fields.getAll('events').map(String)) as WebhookCreate['events'] // values of the checkboxes below
          if (events.length === 0) return setProblem(texts.noEvent)
          const description = String(fields.get('description') ?? '').trim()
          applications
            .createWebhook({
              url: String(fields.get('url')).trim(),
              events,
              ...(description === '' ? {} : { description }),
            })
            .then(onMade, (error: Error) => setProblem(error.message))
        }}
      >
        <label className="field">
          {texts.url}
          <input name="url" type="url" placeholder={texts.urlHint} maxLength={2000} required data-first />
        </label>
        <label className="field">
          {texts.description}
          <input name="description" maxLength={200} />
        </label>
        <fieldset className="choices">
          <legend>{texts.events}</legend>
          <label className="choice box">
            <input type="checkbox" checked={isAll} onChange={(event) => setAll(event.target.checked)} />
            {texts.everything}
          </label>
          {!isAll &&
            nouns.map((noun) => (
              <label key={noun} className="choice box">
                <input type="checkbox" name="events" value={`${noun}.*`} />
                {webhookEventTypes.filter((type) => type.startsWith(`${noun}.`)).join(', ')}
              </label>
            ))}
        </fieldset>
        <FormEnd problem={problem} cancel={applicationTexts.cancel} submit={texts.make} onCancel={onClose} />
      </form>
    </Dialog>
  )
}
