// Prints and returns what component fc3 0.1.22 does in a deployment that changes something, and deploys nothing.
// Source: https://github.com/devsapp/fc3, src/subCommands/{deploy,info}; the difference is drawn by @serverless-devs/diff.

exports.default = class {
    constructor({ logger }) {
        this.logger = logger;
    }

    async deploy({ props }) {
        const now = props.environmentVariables;
        this.logger.write([
            'cpu: 0.35 => 0.5',
            'environmentVariables: ',
            '   OSS_BUCKET: old-bucket => ' + now.OSS_BUCKET,
            '   TOKEN_SECRET: the-secret-of-last-year => ' + now.TOKEN_SECRET,
            '   JWT_KEY: -----BEGIN PUBLIC KEY-----',
            'line-of-the-old-key',
            '-----END PUBLIC KEY----- => -----BEGIN PUBLIC KEY-----',
            'line-of-the-new-key',
            '-----END PUBLIC KEY-----',
            '   LOG_LEVEL: DEBUG => INFO',
        ].join('\n'));
        this.logger.write('customDomain: {"certConfig":{"certName":"c","privateKey":"-----BEGIN PRIVATE KEY-----\\nold-private\\n-----END PRIVATE KEY-----"}}');
        this.logger.info('ossAuto code to https://oss-cn-hangzhou.aliyuncs.com');
        return {
            region: props.region,
            functionName: props.functionName,
            environmentVariables: now,
            triggers: [{ triggerName: 'http', triggerConfig: { methods: ['GET'] } }],
            url: { system_url: 'https://signs.cn-hangzhou.fcapp.run', custom_domain: 'upload.example.com' },
        };
    }
};
