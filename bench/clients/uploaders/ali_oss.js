'use strict';

// node ali_oss.js MODULE '{"endpoint": ..., "path": ..., ...}': one upload of a file, measured as measured.py does; one JSON line.

const [module_, text] = process.argv.slice(2);
const OSS = require(module_);
const job = JSON.parse(text);

async function main() {
  const client = new OSS({
    endpoint: job.endpoint,
    region: `oss-${job.region}`,
    accessKeyId: job.access_key_id,
    accessKeySecret: job.access_key_secret,
    bucket: job.bucket,
    authorizationV4: true,
    sldEnable: true,
    timeout: 120000,
  });
  const rss = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  const started = process.hrtime.bigint();
  await client.multipartUpload(job.key, job.path, { partSize: job.part_size, parallel: job.parallel });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const used = process.cpuUsage(cpu);
  console.log(JSON.stringify({
    seconds,
    cpu_s: (used.user + used.system) / 1e6,
    rss_mib: rss / 1048576,
    peak_mib: process.resourceUsage().maxRSS / 1024,
  }));
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
