'use strict';

// Preloaded with `node -r`: what a line in /etc/hosts or a local DNS server does. Names below
// .localhost are loopback by RFC 6761 (glibc without nss-myhostname does not know it), and
// *.aliyuncs.com stands for a client that is redirected by DNS. ali-oss itself is not touched.

const dns = require('dns');

const LOOPBACK = '127.0.0.1';
const original = dns.lookup;

function isRedirected(hostname) {
  return /(^|\.)localhost$/i.test(hostname) || /\.aliyuncs\.com$/i.test(hostname);
}

dns.lookup = function lookup(hostname, options, callback) {
  if (!isRedirected(String(hostname))) return original.call(dns, hostname, options, callback);
  const answer = typeof options === 'function' ? options : callback;
  const all = typeof options === 'object' && options !== null && options.all;
  return process.nextTick(() => (all ? answer(null, [{ address: LOOPBACK, family: 4 }]) : answer(null, LOOPBACK, 4)));
};
