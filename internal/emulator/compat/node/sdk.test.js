'use strict';

// Qiniu's Node SDK, unmodified, against the emulator. It is told where uc is, and
// finds everything else by asking for the region of a bucket.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Readable } = require('node:stream');
const { after, before, describe, it } = require('node:test');

const qiniu = require('qiniu');

const { start } = require('./emulator');

const BUCKET = 'node-sdk';
const MIB = 1024 * 1024;

// Published hashes: see the table in the specification of Kodo's content hash.
const HELLO = 'Fqr0xh3cxeii2r7eDztILNmuqUNN';
const ZEROS_5_MIB = 'lrMhp7oU8rzWSRlmUeGJ73Q2pVa-';
const ZEROS_5_MIB_IN_1_MIB_PARTS = 'nh-1WgCDgdWnTWmrzJIAB8qrEJWt';

let emulator, mac, config, manager, dir, zeros;

before(async () => {
    emulator = await start();
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'kodo-node-'));
    zeros = path.join(dir, 'zeros');
    fs.writeFileSync(zeros, Buffer.alloc(5 * MIB));
    qiniu.conf.UC_HOST = emulator.host;
    mac = new qiniu.auth.digest.Mac(emulator.accessKey, emulator.secretKey);
    config = new qiniu.conf.Config({ useHttpsDomain: false, regionsQueryResultCachePath: path.join(dir, 'regions.jsonl') });
    manager = new qiniu.rs.BucketManager(mac, config);
    await ok(manager.createBucket(BUCKET, { regionId: 'z1' }));
});

after(async () => {
    await emulator?.stop();
    if (dir) {
        fs.rmSync(dir, { recursive: true });
    }
});

// ok awaits an answer that must be a success, and returns its data.
async function ok(answer, status = 200) {
    const { data, resp } = await answer;
    assert.equal(resp.statusCode, status, JSON.stringify(data));
    return data;
}

// refused awaits an answer that must be a refusal, and returns its text.
async function refused(answer, status) {
    const { data, resp } = await answer;
    assert.equal(resp.statusCode, status, JSON.stringify(data));
    return data.error;
}

function token(scope, more) {
    return new qiniu.rs.PutPolicy({ scope, ...more }).uploadToken(mac);
}

function put(key, body = 'hello', extra = null) {
    return ok(new qiniu.form_up.FormUploader(config).put(token(`${BUCKET}:${key}`), key, body, extra));
}

async function keys(prefix) {
    const page = await ok(manager.listPrefix(BUCKET, { prefix }));
    return page.items.map(item => item.key);
}

describe('buckets', () => {
    it('are created, listed, described and dropped', async () => {
        await ok(manager.createBucket('node-other', { regionId: 'z0' }));
        assert.match(await refused(manager.createBucket('node-other', {}), 614), /already exists/);
        assert.ok((await ok(manager.listBucket())).includes('node-other'));
        const info = await ok(manager.getBucketInfo('node-other'));
        assert.equal(info.region, 'z0');
        assert.ok(!Number.isNaN(Date.parse(info.ctime)));
        await ok(manager.deleteBucket('node-other'));
        await refused(manager.getBucketInfo('node-other'), 631);
    });

    it('keep their settings', async () => {
        const name = 'node-settings';
        await ok(manager.createBucket(name, { regionId: 'z0' }));
        await ok(manager.putBucketAccessMode(name, { private: 1 }));
        await ok(manager.putBucketMaxAge(name, { maxAge: 60 }));
        await ok(manager.putReferAntiLeech(name, { mode: 1, norefer: 1, pattern: 'a.example.com;*.example.org' }));
        await ok(manager.putBucketQuota(name, { size: 1000, count: 10 }));
        assert.deepEqual(await ok(manager.getBucketQuota(name)), { size: 1000, count: 10 });
        const rules = [{
            allowed_origin: ['https://example.com'], allowed_method: ['GET'], allowed_header: [], exposed_header: [], max_age: 5
        }];
        await ok(manager.putCorsRules(name, rules));
        assert.deepEqual(await ok(manager.getCorsRules(name)), rules);
        const info = await ok(manager.getBucketInfo(name));
        assert.deepEqual(
            [info.private, info.max_age, info.anti_leech_mode, info.refer_wl],
            [1, 60, 1, ['a.example.com', '*.example.org']]
        );
        await ok(manager.deleteBucket(name));
    });

    it('have rules of lifecycle', async () => {
        await ok(manager.putBucketLifecycleRule(BUCKET, { name: 'logs', prefix: 'logs/', to_line_after_days: 1, delete_after_days: 9 }));
        await ok(manager.updateBucketLifecycleRule(BUCKET, { name: 'logs', prefix: 'log/', delete_after_days: 5 }));
        const [rule] = await ok(manager.getBucketLifecycleRule(BUCKET));
        assert.deepEqual([rule.name, rule.prefix, rule.to_line_after_days, rule.delete_after_days], ['logs', 'log/', 0, 5]);
        await ok(manager.deleteBucketLifecycleRule(BUCKET, 'logs'));
        assert.equal((await ok(manager.getBucketLifecycleRule(BUCKET)) || []).length, 0);
    });
});

describe('uploads', () => {
    it('form', async () => {
        const uploader = new qiniu.form_up.FormUploader(config);
        const extra = new qiniu.form_up.PutExtra('f.txt', { 'x:color': 'blue' }, 'text/x', null, true, { 'x-qn-meta-author': 'me' });
        const answer = await ok(uploader.put(token(`${BUCKET}:form/ü`), 'form/ü', 'hello', extra));
        assert.deepEqual(answer, { hash: HELLO, key: 'form/ü' });
        const stat = await ok(manager.stat(BUCKET, 'form/ü'));
        assert.deepEqual(
            [stat.hash, stat.fsize, stat.mimeType, stat['x-qn-meta']],
            [HELLO, 5, 'text/x', { author: 'me' }]
        );
        assert.deepEqual(await ok(uploader.putWithoutKey(token(BUCKET), 'hello')), { hash: HELLO, key: HELLO });
        assert.equal((await ok(uploader.putFile(token(BUCKET), 'form/file', zeros))).hash, ZEROS_5_MIB);
        assert.equal((await ok(uploader.putStream(token(BUCKET), 'form/stream', Readable.from([Buffer.from('hello')])))).hash, HELLO);
        assert.equal(await refused(uploader.put(token(BUCKET), 'form/file', 'other'), 614), 'file exists');
        assert.equal(await refused(uploader.put(token(`${BUCKET}:x`), 'y', 'other'), 403), "key doesn't match with scope");
    });

    for (const [version, partSize, hash] of [
        ['v1', 4 * MIB, ZEROS_5_MIB],
        ['v2', 4 * MIB, ZEROS_5_MIB],
        ['v2', MIB, ZEROS_5_MIB_IN_1_MIB_PARTS]
    ]) {
        it(`resumable ${version} in parts of ${partSize / MIB} MiB`, async () => {
            const uploader = new qiniu.resume_up.ResumeUploader(config);
            const key = `resumable/${version}/${partSize}`;
            let progress = 0;
            const extra = Object.assign(qiniu.resume_up.PutExtra.create(), {
                version, partSize, fname: 'zeros.bin', mimeType: 'application/x-zeros', metadata: { 'x-qn-meta-author': 'me' },
                progressCallback: uploaded => { progress = uploaded; }
            });
            const answer = await ok(uploader.putFile(token(`${BUCKET}:${key}`), key, zeros, extra));
            assert.deepEqual(answer, { hash, key });
            assert.equal(progress, 5 * MIB);
            const stat = await ok(manager.stat(BUCKET, key));
            assert.deepEqual(
                [stat.hash, stat.fsize, stat.mimeType, stat['x-qn-meta']],
                [hash, 5 * MIB, 'application/x-zeros', { author: 'me' }]
            );
        });
    }

    it('resumable v2 goes on from its record', async () => {
        const uploader = new qiniu.resume_up.ResumeUploader(config);
        const resumeRecorder = qiniu.resume_up.createResumeRecorderSync(path.join(dir, 'records'));
        const cut = fs.createReadStream(zeros);
        const extra = () => Object.assign(qiniu.resume_up.PutExtra.create(), { partSize: MIB, resumeRecorder, resumeKey: 'record' });
        const upToken = token(`${BUCKET}:resumed`);
        const first = extra();
        first.progressCallback = uploaded => {
            if (uploaded >= 2 * MIB) {
                cut.destroy(new Error('the power fails'));
            }
        };
        await assert.rejects(Promise.race([
            uploader.putStreamV2(upToken, 'resumed', cut, 5 * MIB, first),
            new Promise((resolve, reject) => { cut.on('error', reject); })
        ]), /the power fails/);
        const record = resumeRecorder.getSync('record');
        assert.ok(record && record.etags.length >= 2, JSON.stringify(record));
        const answer = await ok(uploader.putFileV2(upToken, 'resumed', zeros, extra()));
        assert.equal(answer.hash, ZEROS_5_MIB_IN_1_MIB_PARTS);
        assert.equal(resumeRecorder.hasSync('record'), false);
    });

    it('answer as their policy says', async () => {
        const uploader = new qiniu.form_up.FormUploader(config);
        const upToken = token(`${BUCKET}:body`, { returnBody: '{"k":$(key),"size":$(fsize),"color":"$(x:color)"}' });
        const extra = new qiniu.form_up.PutExtra('', { 'x:color': 'blue' });
        assert.deepEqual(await ok(uploader.put(upToken, 'body', 'hello', extra)), { k: 'body', size: 5, color: 'blue' });
    });
});

describe('objects', () => {
    it('are copied, moved, changed and deleted', async () => {
        await put('a/one');
        await ok(manager.copy(BUCKET, 'a/one', BUCKET, 'a/two', { force: false }));
        assert.equal(await refused(manager.move(BUCKET, 'a/one', BUCKET, 'a/two', {}), 614), 'file exists');
        await ok(manager.move(BUCKET, 'a/one', BUCKET, 'a/two', { force: true }));
        assert.equal(await refused(manager.stat(BUCKET, 'a/one'), 612), 'no such file or directory');
        await ok(manager.changeMime(BUCKET, 'a/two', 'text/x'));
        await ok(manager.changeHeaders(BUCKET, 'a/two', { 'Content-Type': 'text/y', 'Last-Modified': 'Mon, 02 Jan 2006 15:04:05 GMT' }));
        await ok(manager.changeType(BUCKET, 'a/two', 1));
        await ok(manager.updateObjectStatus(BUCKET, 'a/two', 1));
        const stat = await ok(manager.stat(BUCKET, 'a/two'));
        assert.deepEqual(
            [stat.mimeType, stat.type, stat.status, stat['x-qn-meta']['!Last-Modified']],
            ['text/x', 1, 1, 'Mon, 02 Jan 2006 15:04:05 GMT']
        );
        await ok(manager.delete(BUCKET, 'a/two'));
        await refused(manager.delete(BUCKET, 'a/two'), 612);
    });

    it('expire and change their class', async () => {
        await put('lifecycle');
        await ok(manager.deleteAfterDays(BUCKET, 'lifecycle', 3));
        assert.ok((await ok(manager.stat(BUCKET, 'lifecycle'))).expiration > Date.now() / 1000);
        await ok(manager.setObjectLifeCycle(BUCKET, 'lifecycle', {
            toIaAfterDays: 10, toArchiveAfterDays: 20, toDeepArchiveAfterDays: 30, deleteAfterDays: 40, cond: { hash: HELLO }
        }));
        const stat = await ok(manager.stat(BUCKET, 'lifecycle'));
        assert.ok(stat.transitionToIA < stat.transitionToARCHIVE && stat.transitionToARCHIVE < stat.transitionToDeepArchive && stat.transitionToDeepArchive < stat.expiration);
    });

    it('are restored from the archive', async () => {
        await put('archived');
        await ok(manager.changeType(BUCKET, 'archived', 2));
        await ok(manager.restoreAr(`${BUCKET}:archived`, 2));
        assert.equal((await ok(manager.stat(BUCKET, 'archived'))).restoreStatus, 1);
    });

    it('are handled in batches', async () => {
        await put('batch/a');
        const answer = await ok(manager.batch([
            qiniu.rs.statOp(BUCKET, 'batch/a'), qiniu.rs.copyOp(BUCKET, 'batch/a', BUCKET, 'batch/b', { force: true }), qiniu.rs.deleteOp(BUCKET, 'missing')
        ]), 298);
        assert.deepEqual(answer.map(one => one.code), [200, 200, 612]);
        assert.equal(answer[0].data.hash, HELLO);
        assert.deepEqual((await ok(manager.batch([
            qiniu.rs.changeMimeOp(BUCKET, 'batch/a', 'text/z'), qiniu.rs.changeTypeOp(BUCKET, 'batch/a', 4),
            qiniu.rs.moveOp(BUCKET, 'batch/a', BUCKET, 'batch/c'), qiniu.rs.deleteAfterDaysOp(BUCKET, 'batch/b', 1)
        ]))).map(one => one.code), [200, 200, 200, 200]);
        assert.deepEqual(await keys('batch/'), ['batch/b', 'batch/c']);
    });

    it('are listed', async () => {
        for (const key of ['list/a', 'list/b/1', 'list/b/2', 'list/c']) {
            await put(key);
        }
        const first = await ok(manager.listPrefix(BUCKET, { prefix: 'list/', delimiter: '/', limit: 2 }));
        assert.deepEqual([first.items.map(item => item.key), first.commonPrefixes], [['list/a'], ['list/b/']]);
        const rest = await ok(manager.listPrefix(BUCKET, { prefix: 'list/', delimiter: '/', limit: 2, marker: first.marker }));
        assert.deepEqual([rest.items.map(item => item.key), rest.marker], [['list/c'], undefined]);
        const text = await ok(manager.listPrefixV2(BUCKET, { prefix: 'list/', delimiter: '/' }));
        const lines = text.trimEnd().split('\n').map(line => JSON.parse(line));
        assert.deepEqual(lines.map(line => line.item?.key || line.dir), ['list/a', 'list/b/', 'list/c']);
        assert.equal(lines.at(-1).marker, '');
    });

    it('are fetched from elsewhere, and downloaded', async () => {
        await put('public/ü +&.txt');
        const [{ domain }] = await ok(manager.listBucketDomains(BUCKET));
        const url = manager.publicDownloadUrl(`http://${domain}`, 'public/ü +&.txt');
        const answer = await ok(manager.fetch(url, BUCKET, 'fetched'));
        assert.deepEqual([answer.hash, answer.key, answer.fsize], [HELLO, 'fetched', 5]);
        await ok(manager.putBucketAccessMode(BUCKET, { private: 1 }));
        assert.equal((await fetch(url)).status, 401);
        const signed = manager.privateDownloadUrl(`http://${domain}`, 'public/ü +&.txt', Math.floor(Date.now() / 1000) + 60);
        assert.equal(await (await fetch(signed)).text(), 'hello');
        assert.equal((await fetch(manager.privateDownloadUrl(`http://${domain}`, 'public/ü +&.txt', 1))).status, 401);
        await ok(manager.putBucketAccessMode(BUCKET, { private: 0 }));
    });
});

describe('keys', () => {
    it('that are wrong are told apart from what is missing', async () => {
        const wrong = new qiniu.rs.BucketManager(new qiniu.auth.digest.Mac(emulator.accessKey, 'wrong'), config);
        assert.equal(await refused(wrong.stat(BUCKET, 'missing'), 401), 'bad token');
        assert.equal(await refused(manager.stat(BUCKET, 'missing'), 612), 'no such file or directory');
    });
});
