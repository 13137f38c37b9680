import * as awareness from './awareness.mjs'
import * as canvas from './canvas.mjs'
import * as coldopen from './coldopen.mjs'
import * as comeback from './comeback.mjs'
import * as durable from './durable.mjs'
import * as fanout from './fanout.mjs'
import * as folding from './folding.mjs'
import * as growth from './growth.mjs'
import * as idle from './idle.mjs'
import * as join from './join.mjs'
import * as memory from './memory.mjs'
import * as nodes from './nodes.mjs'
import * as ramp from './ramp.mjs'
import * as rights from './rights.mjs'
import * as rooms from './rooms.mjs'
import * as soak from './soak.mjs'

export const scenarios = {
  fanout,
  awareness,
  join,
  rooms,
  idle,
  ramp,
  durable,
  coldopen,
  comeback,
  folding,
  growth,
  memory,
  nodes,
  rights,
  canvas,
  soak,
}
