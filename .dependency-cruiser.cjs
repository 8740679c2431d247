/**
 * The import directions of the house. They go one way: cli → workers → actors → src/(rest); inside src every part
 * lists what it may not know. There are no exceptions.
 */

/** src/report holds what everybody needs: how to refuse, what a misspelt word was meant to be, and how to assert. */
const REFUSALS = '^src/report/(user-error|suggestion|assert)\\.ts$';

/** @param {string} part @param {string} why @param {string[]} strangers */
const knowsNo = (part, why, ...strangers) => ({
  name: `${part}-knows-no-${strangers.join('-')}`,
  comment: why,
  severity: 'error',
  from: { path: `^src/${part}/` },
  to: { path: `^src/(${strangers.join('|')})/` },
});

/** @param {string} part @param {string[]} friends */
const knowsOnly = (part, ...friends) => ({
  name: `${part}-knows-only-${friends.join('-')}`,
  comment: 'Resident software sees architectural state only.',
  severity: 'error',
  from: { path: `^src/${part}/` },
  to: {
    path: '^(src|actors|workers|bench|tests)/',
    pathNot: [`^src/(${[part, ...friends].join('|')})/`, REFUSALS],
  },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one idea in two files, or a third idea without a file.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-cli-knows-threads',
      comment: 'src is pure: no actor and no worker, except that a command starts a machine.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^(actors|workers)/' },
    },
    {
      name: 'cli-knows-no-actors',
      comment: 'A command starts a machine; what the machine is made of is the concern of workers.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^actors/' },
    },
    {
      name: 'actors-know-no-threads',
      comment: 'An actor never knows on which thread it runs.',
      severity: 'error',
      from: { path: '^actors/' },
      to: { path: '^workers/' },
    },
    {
      name: 'nobody-knows-the-command-line',
      comment: 'The command line is the outermost layer.',
      severity: 'error',
      from: { path: '^(src|actors|workers)/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'nobody-knows-benches-and-tests',
      comment: 'What is shipped stands without its tests.',
      severity: 'error',
      from: { path: '^(src|actors|workers|bench)/' },
      to: { path: '^tests/' },
    },
    {
      name: 'nobody-knows-benches',
      comment: 'A bench measures the house; the house does not need it.',
      severity: 'error',
      from: { path: '^(src|actors|workers)/' },
      to: { path: '^bench/' },
    },
    {
      name: 'refusals-know-nobody',
      comment: 'What everyone may import imports nothing.',
      severity: 'error',
      from: { path: REFUSALS },
      to: {},
    },
    knowsNo('isa', 'The meaning of an instruction knows no reading of it.', 'engine', 'arch', 'board'),
    knowsNo('engine', 'A reading runs on any board.', 'board', 'firmware', 'linux-abi', 'hypervisor'),
    knowsNo('arch', 'A PE knows no device and no software.', 'board', 'firmware', 'linux-abi', 'hypervisor'),
    knowsNo('memory', 'Memory holds bytes for anybody.', 'isa', 'engine', 'arch', 'board'),
    knowsNo('board', 'A board is data.', 'isa', 'engine', 'arch', 'firmware', 'linux-abi', 'hypervisor'),
    knowsOnly('firmware', 'arch'),
    knowsOnly('linux-abi', 'arch'),
    knowsOnly('hypervisor', 'arch'),
    {
      name: 'report-is-for-the-outside',
      comment: 'Only the refusals of src/report are for everyone; figures are put together by workers and commands.',
      severity: 'error',
      from: { path: '^(src|actors)/', pathNot: '^src/(report|cli)/' },
      to: { path: '^src/report/', pathNot: REFUSALS },
    },
    {
      name: 'only-shipped-packages',
      comment: 'A packed Heddle has dependencies and no devDependencies.',
      severity: 'error',
      from: { path: '^(src|actors|workers)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'], conditionNames: ['import', 'node', 'default'] },
  },
};
