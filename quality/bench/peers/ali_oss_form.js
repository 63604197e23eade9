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

const UPLOAD_ID = '0004B9894A22E5B1888A1E29F8236E2D';

// A promise of URLs for 20 parts, each of which admits its length.
async function presignParts(client) {
  const urls = [];
  for (let partNumber = 1; partNumber <= 20; partNumber += 1) {
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': 1048576 };
    const request = { headers, queries: { partNumber, uploadId: UPLOAD_ID } };
    const key = 'videos/public/2026/11/AbCdEfGhIjKlMnOpQrSt_A.mp4';
    urls.push(await client.signatureUrlV4('PUT', 900, request, key, ['Content-Length']));
  }
  return urls;
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

module.exports = { OSS, newClient, presign, presignParts, sign };
