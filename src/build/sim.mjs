/** npm run sim [-- --config FILE] [NAME=VALUE …]: builds for Moddable's simulator, with debugger, and starts it. */
import { buildWithModdable, runProgram, takeConfiguration } from './moddable.mjs';

runProgram(() => {
  const { file, rest } = takeConfiguration(process.argv.slice(2));
  buildWithModdable({ file, checkArgs: [], mcconfigArgs: ['-d', '-m', ...rest] });
});
