import { webhooksOn } from './suite/all.js'

webhooksOn('mariadb')
