// ali-oss's signPostObjectPolicyV4 and signatureUrlV4 for the task. Paths and keys come from the environment.
'use strict';

const OSS = require(process.env.BENCH_ALI_OSS);

const BUCKET = 'bench-bucket';
const REGION = 'cn-hangzhou';

// credentials: { id, secret, token }
function sign(client, credentials, key, size, now) {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  const scope = `${stamp.slice(0, 8)}/${REGION}/oss/aliyun_v4_request`;
  const expiration = new Date(now.getTime() + 300000).toISOString().replace(/\.\d+/, '.000');
  const pinned = {
    key,
    success_action_status: '200',
    'x-oss-content-type': 'image/jpeg',
    'x-oss-forbid-overwrite': 'true',
    'Content-Disposition': 'inline',
    'x-oss-object-acl': 'default',
    'x-oss-storage-class': 'Standard',
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': `${credentials.id}/${scope}`,
    'x-oss-date': stamp,
    'x-oss-security-token': credentials.token
  };
  const policy = {
    expiration,
    conditions: [
      { bucket: BUCKET },
      ['content-length-range', size, size],
      ...Object.entries(pinned).map(([name, value]) => ({ [name]: value }))
    ]
  };
  const signature = client.signPostObjectPolicyV4(policy, now);
  const encoded = Buffer.from(JSON.stringify(policy)).toString('base64');
  return { ...pinned, policy: encoded, 'x-oss-signature': signature };
}

// A promise of the URL.
function presign(client) {
  const queries = { 'x-oss-process': 'image/resize,m_fill,w_200,h_200/format,jpg' };
  return client.signatureUrlV4('GET', 1200, { queries }, 'uploads/public/2026/11/24/AbCdEfGhIjKlMnOpQrSt_A.jpg');
}

function newClient(credentials) {
  return new OSS({
    bucket: BUCKET,
    region: `oss-${REGION}`,
    accessKeyId: credentials.id,
    accessKeySecret: credentials.secret,
    stsToken: credentials.token
  });
}

module.exports = { OSS, newClient, presign, sign };
