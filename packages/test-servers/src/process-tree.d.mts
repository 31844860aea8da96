export declare function killTree(pid: number): number[]
export declare function isAlive(pid: number): boolean
