export type MysqlKind = 'mysql' | 'mariadb'

/** Makes the accounts and the database; may run again. The ordinary user owns every database that tests make, and nothing else. */
export const accounts: readonly string[] = [
  `create database if not exists varve`,
  `create user if not exists 'varve'@'%' identified by 'varve'`,
  `grant all privileges on \`varve%\`.* to 'varve'@'%'`,
  `create user if not exists 'admin'@'%' identified by 'admin'`,
  `grant all privileges on *.* to 'admin'@'%' with grant option`,
]
