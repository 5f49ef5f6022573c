/** Id of the sources that a script was built from; the bundler puts it here, so that page and worker can compare. */
export const build: string = "unbuilt";
