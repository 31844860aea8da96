import type { Pool } from 'mysql2/promise'
import { rowsOf } from './store.js'

/** Writes down every table, view, trigger and procedure of a database, as the server says it; who made them is left out. */
export async function dumpSchema(pool: Pick<Pool, 'query'>, database: string): Promise<string> {
  const parts: string[] = []
  const names = async (text: string): Promise<string[]> =>
    (await rowsOf(pool, text)).map((row) => String(row['name'])).toSorted()
  const show = async (what: string, name: string, column: string): Promise<void> => {
    const [row] = await rowsOf(pool, `show create ${what} \`${name}\``)
    parts.push(cleaned(String(row?.[column]), database))
  }
  const tables = (type: string) =>
    names(
      `select table_name as name from information_schema.tables where table_schema = '${database}' and table_type = '${type}'`,
    )
  for (const name of await tables('BASE TABLE')) await show('table', name, 'Create Table')
  for (const name of await tables('VIEW')) await show('view', name, 'Create View')
  const triggers = `select trigger_name as name from information_schema.triggers where trigger_schema = '${database}'`
  for (const name of await names(triggers)) await show('trigger', name, 'SQL Original Statement')
  const routines = `select routine_name as name from information_schema.routines where routine_schema = '${database}'`
  for (const name of await names(routines)) await show('procedure', name, 'Create Procedure')
  return parts.map((part) => `${part};\n`).join('\n')
}

function cleaned(statement: string, database: string): string {
  return statement
    .replaceAll(`\`${database}\`.`, '')
    .replace(/ DEFINER=`[^`]*`@`[^`]*`/, '')
    .replace(/ AUTO_INCREMENT=\d+/, '')
}
