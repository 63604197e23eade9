// Cold start of ali-oss on Node: AssumeRole with its STS class, then one form.
'use strict';

const { OSS, newClient, sign } = require('./ali_oss_form.js');

async function main() {
  const sts = new OSS.STS({
    accessKeyId: process.env.ALIBABA_CLOUD_ACCESS_KEY_ID,
    accessKeySecret: process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
    endpoint: process.env.STS_ENDPOINT
  });
  const answer = await sts.assumeRole(process.env.STS_ROLE_ARN, '', 3600, 'bench');
  const given = answer.credentials;
  const credentials = { id: given.AccessKeyId, secret: given.AccessKeySecret, token: given.SecurityToken };
  const form = sign(newClient(credentials), credentials, 'uploads/public/photo.jpg', 123456, new Date());
  console.log(JSON.stringify(form));
  process.stdin.resume();
}

main();
