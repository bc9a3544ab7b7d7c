/* Stands between a program and its files: preloaded, it writes down every change made under
 * SHIM_ROOT, and makes chosen calls fail.
 *
 * SHIM_JOURNAL  file that takes one record a change: what a disk would have been asked to do.
 * SHIM_CONTROL  file of seven 32-bit integers, shared with the test:
 *               [0] armed, [1] calls to let pass, [2] calls to fail after these, [3] errno,
 *               [4] calls seen since armed, [5] calls failed since armed,
 *               [6] whether only syncs of SQLite's log count.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 65536
enum { OPENED = 1, WRITTEN, SYNCED, CUT, RENAMED, REMOVED, FOLDER };

struct record {
    uint32_t kind, path, other, data;
    int64_t offset;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *paths[FILES];
static const char *root;
static int journal = -1;
static volatile int32_t *control;

#define REAL(name, result, ...)                                   \
    static result (*real_##name)(__VA_ARGS__);                    \
    if (!real_##name) real_##name = dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
    root = getenv("SHIM_ROOT");
    const char *to = getenv("SHIM_JOURNAL"), *by = getenv("SHIM_CONTROL");
    REAL(open, int, const char *, int, ...);
    if (to) journal = real_open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (by) {
        int fd = real_open(by, O_RDWR | O_CLOEXEC);
        void *at = mmap(NULL, 28, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (fd >= 0 && at != MAP_FAILED) control = at;
    }
}

static int ours(const char *path)
{
    size_t length = root ? strlen(root) : 0;
    /* The shared memory of SQLite's log is no part of what must survive. */
    return length && path && !strncmp(path, root, length) && (path[length] == '/' || !path[length])
        && !strstr(path, "-shm");
}

static const char *path_of(int fd)
{
    return fd >= 0 && fd < FILES ? paths[fd] : NULL;
}

static void note(uint32_t kind, const char *path, const char *other, const void *data,
                 size_t size, int64_t offset)
{
    if (journal < 0) return;
    struct record head = {kind, strlen(path), other ? strlen(other) : 0, size, offset};
    size_t all = sizeof head + head.path + head.other + size;
    char *whole = malloc(all), *at = whole;
    memcpy(at, &head, sizeof head), at += sizeof head;
    memcpy(at, path, head.path), at += head.path;
    if (other) memcpy(at, other, head.other), at += head.other;
    if (size) memcpy(at, data, size);
    REAL(write, ssize_t, int, const void *, size_t);
    if (real_write(journal, whole, all) != (ssize_t)all) abort();
    free(whole);
}

/* Whether this call is one of those that are to fail; sets errno. A log is synced, or none. */
static int fails_at(const char *log)
{
    if (!control || !control[0] || (control[6] && !log)) return 0;
    int seen = __sync_fetch_and_add(&control[4], 1);
    if (seen < control[1] || seen >= control[1] + control[2]) return 0;
    __sync_fetch_and_add(&control[5], 1);
    errno = control[3];
    return 1;
}

static int fails(void)
{
    return fails_at(NULL);
}

static int opened(int fd, const char *path, int flags)
{
    if (fd < 0 || fd >= FILES) return fd;
    free(paths[fd]);
    paths[fd] = strdup(path);
    if (flags & (O_CREAT | O_TRUNC)) note(OPENED, path, NULL, NULL, 0, flags & O_TRUNC ? 1 : 0);
    return fd;
}

#define OPEN(name)                                                               \
    int name(const char *path, int flags, ...)                                   \
    {                                                                            \
        REAL(name, int, const char *, int, ...);                                 \
        va_list rest;                                                            \
        va_start(rest, flags);                                                   \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;  \
        va_end(rest);                                                            \
        if (!ours(path)) return real_##name(path, flags, mode);                  \
        if ((flags & O_CREAT) && fails()) return -1;                             \
        pthread_mutex_lock(&lock);                                               \
        int fd = opened(real_##name(path, flags, mode), path, flags);            \
        pthread_mutex_unlock(&lock);                                             \
        return fd;                                                               \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                             \
    int name(int folder, const char *path, int flags, ...)                       \
    {                                                                            \
        REAL(name, int, int, const char *, int, ...);                            \
        va_list rest;                                                            \
        va_start(rest, flags);                                                   \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;  \
        va_end(rest);                                                            \
        if (!ours(path)) return real_##name(folder, path, flags, mode);          \
        if ((flags & O_CREAT) && fails()) return -1;                             \
        pthread_mutex_lock(&lock);                                               \
        int fd = opened(real_##name(folder, path, flags, mode), path, flags);    \
        pthread_mutex_unlock(&lock);                                             \
        return fd;                                                               \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
    REAL(close, int, int);
    pthread_mutex_lock(&lock);
    if (path_of(fd)) free(paths[fd]), paths[fd] = NULL;
    int done = real_close(fd);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write, ssize_t, int, const void *, size_t);
    if (!path_of(fd)) return real_write(fd, data, size);
    if (fails()) return -1;
    pthread_mutex_lock(&lock);
    int64_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = real_write(fd, data, size);
    if (done > 0) note(WRITTEN, path_of(fd), NULL, data, done, at);
    pthread_mutex_unlock(&lock);
    return done;
}

#define PWRITE(name, offset_type)                                                \
    ssize_t name(int fd, const void *data, size_t size, offset_type offset)      \
    {                                                                            \
        REAL(name, ssize_t, int, const void *, size_t, offset_type);             \
        if (!path_of(fd)) return real_##name(fd, data, size, offset);            \
        if (fails()) return -1;                                                  \
        pthread_mutex_lock(&lock);                                               \
        ssize_t done = real_##name(fd, data, size, offset);                      \
        if (done > 0) note(WRITTEN, path_of(fd), NULL, data, done, offset);      \
        pthread_mutex_unlock(&lock);                                             \
        return done;                                                             \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define SYNC(name)                                                               \
    int name(int fd)                                                             \
    {                                                                            \
        REAL(name, int, int);                                                    \
        if (!path_of(fd)) return real_##name(fd);                                \
        if (fails_at(strstr(path_of(fd), "-wal"))) return -1;                    \
        pthread_mutex_lock(&lock);                                               \
        /* The replay decides what survives, so the real disk need not wait. */  \
        int done = journal < 0 ? real_##name(fd) : 0;                            \
        if (!done) note(SYNCED, path_of(fd), NULL, NULL, 0, 0);                  \
        pthread_mutex_unlock(&lock);                                             \
        return done;                                                             \
    }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name, offset_type)                                              \
    int name(int fd, offset_type size)                                           \
    {                                                                            \
        REAL(name, int, int, offset_type);                                       \
        if (!path_of(fd)) return real_##name(fd, size);                          \
        if (fails()) return -1;                                                  \
        pthread_mutex_lock(&lock);                                               \
        int done = real_##name(fd, size);                                        \
        if (!done) note(CUT, path_of(fd), NULL, NULL, 0, size);                  \
        pthread_mutex_unlock(&lock);                                             \
        return done;                                                             \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int rename(const char *from, const char *to)
{
    REAL(rename, int, const char *, const char *);
    if (!ours(to)) return real_rename(from, to);
    if (fails()) return -1;
    pthread_mutex_lock(&lock);
    int done = real_rename(from, to);
    if (!done) note(RENAMED, from, to, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int unlink(const char *path)
{
    REAL(unlink, int, const char *);
    if (!ours(path)) return real_unlink(path);
    pthread_mutex_lock(&lock);
    int done = real_unlink(path);
    if (!done) note(REMOVED, path, NULL, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir, int, const char *, mode_t);
    if (!ours(path)) return real_mkdir(path, mode);
    pthread_mutex_lock(&lock);
    int done = real_mkdir(path, mode);
    if (!done) note(FOLDER, path, NULL, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    return done;
}
