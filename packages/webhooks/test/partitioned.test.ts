import { webhooksOn } from './suite/all.js'

webhooksOn('postgres, partitioned')
