// What component fc3 0.1.22 does in a deployment, as far as ours need it, at FC_CLIENT_CUSTOM_ENDPOINT. It prints a
// difference that changes secrets. FC3_COMPONENT names another component: the real one takes the same test.
// Source: https://github.com/devsapp/fc3, src/subCommands/{deploy,info,version,alias,sync}, src/resources/fc/index.ts;
// the difference is drawn by @serverless-devs/diff.

const fs = require('node:fs');
const path = require('node:path');

const DIFFERENCE = [
    'cpu: 0.35 => 0.5',
    'environmentVariables: ',
    '   OSS_BUCKET: old-bucket => photos',
    '   TOKEN_SECRET: the-secret-of-last-year => ',
    '   JWT_KEY: -----BEGIN PUBLIC KEY-----',
    'line-of-the-old-key',
    '-----END PUBLIC KEY----- => -----BEGIN PUBLIC KEY-----',
    'line-of-the-new-key',
    '-----END PUBLIC KEY-----',
    '   LOG_LEVEL: DEBUG => INFO',
];
const DOMAIN = 'customDomain: {"certConfig":{"certName":"c","privateKey":"-----BEGIN PRIVATE KEY-----\\nold-private\\n-----END PRIVATE KEY-----"}}';

async function ask(method, path, body) {
    const url = `${process.env.FC_CLIENT_CUSTOM_ENDPOINT}/2023-03-30/functions${path}`;
    const response = await fetch(url, { method, body: body && JSON.stringify(body) });
    const said = await response.json();
    if (response.ok) return said;
    const error = new Error(`${said.Code}: code: ${response.status}, ${said.Message} request id: ${said.RequestId}`);
    throw Object.assign(error, { code: said.Code });
}

// It is there or not; then it is changed or made.
async function put(path, list, value) {
    const isThere = await ask('GET', path).then(() => true, () => false);
    return isThere ? ask('PUT', path, value) : ask('POST', list, value);
}

function optionsOf(args) {
    const options = {};
    args.forEach((name, index) => { if (name.startsWith('--')) options[name.slice(2)] = args[index + 1]; });
    return options;
}

exports.default = class {
    constructor({ logger }) {
        this.logger = logger;
    }

    async deploy({ props, args }) {
        const { region, triggers = [], ...own } = props;
        const now = own.environmentVariables;
        this.logger.write(DIFFERENCE.map((line) => (line.includes('TOKEN_SECRET') ? line + now.TOKEN_SECRET : line)).join('\n'));
        this.logger.write(DOMAIN);
        this.logger.info('ossAuto code to https://oss-cn-hangzhou.aliyuncs.com');
        await put(`/${props.functionName}`, '', own);
        if (args.includes('--function')) return undefined;
        for (const trigger of triggers) {
            const place = `/${props.functionName}/triggers`;
            const config = JSON.stringify(trigger.triggerConfig);
            await put(`${place}/${trigger.triggerName}`, place, { ...trigger, triggerConfig: config });
        }
        return this.info({ props });
    }

    async info({ props }) {
        const info = { region: props.region, ...(await ask('GET', `/${props.functionName}`)), triggers: [] };
        for (const { triggerName } of props.triggers || []) {
            const trigger = await ask('GET', `/${props.functionName}/triggers/${triggerName}`);
            info.triggers.push({ ...trigger, triggerConfig: JSON.parse(trigger.triggerConfig) });
        }
        return info;
    }

    // The package and the settings of a version; the real one unpacks a zip.
    async sync({ args }) {
        const { region, qualifier, 'function-name': name, 'target-dir': folder } = optionsOf(args);
        const { url } = await ask('GET', `/${name}/code?qualifier=${qualifier}`);
        const { environmentVariables } = await ask('GET', `/${name}?qualifier=${qualifier}`);
        const place = path.join(folder, `${region}_${name}`);
        fs.mkdirSync(place, { recursive: true });
        fs.writeFileSync(path.join(place, 'profiles.toml'), decodeURIComponent(url));
        const resources = { r: { props: { region, function: { environmentVariables } } } };
        fs.writeFileSync(`${place}.yaml`, JSON.stringify({ resources }));
        return { codePath: place };
    }

    async version({ props, args }) {
        const place = `/${props.functionName}/versions`;
        if (args[0] === 'list') return (await ask('GET', place)).versions;
        return ask('POST', place, { description: optionsOf(args).description });
    }

    async alias({ props, args }) {
        const place = `/${props.functionName}/aliases`;
        if (args[0] === 'list') return (await ask('GET', place)).aliases;
        const options = optionsOf(args);
        return put(`${place}/${options['alias-name']}`, place, {
            aliasName: options['alias-name'],
            versionId: options['version-id'],
            description: options.description,
            additionalVersionWeight: options.vw ? JSON.parse(options.vw) : undefined,
        });
    }
};
