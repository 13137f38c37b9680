import { floor } from './floor.mjs'
import { hocuspocus } from './hocuspocus.mjs'
import { yws } from './yws.mjs'

export const protocols = { floor, hocuspocus, yws }
