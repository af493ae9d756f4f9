/* /init: runs each program of /tests and says on COM1 how it ended. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* A test that takes longer has failed. */
enum { LIMIT_SECONDS = 120 };

static int is_test(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static void run(const char *name)
{
    if (chdir("/tests"))
        _exit(126);
    setenv("LD_LIBRARY_PATH", "/lib32", 1);
    char path[300];
    snprintf(path, sizeof path, "./%s", name);
    execl(path, path, (char *)0);
    _exit(127);
}

/* The exit code of a test: 128 and the signal's number if one ended it, 124 if it took too long. */
static int result(pid_t child)
{
    for (int tenths = 0; tenths < LIMIT_SECONDS * 10; tenths++) {
        int status;
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, 0);
    }
    kill(child, SIGKILL);
    waitpid(child, 0, 0);
    return 124;
}

int main(void)
{
    mount("proc", "/proc", "proc", 0, 0);
    mount("sys", "/sys", "sysfs", 0, 0);
    mount("dev", "/dev", "devtmpfs", 0, 0);
    mount("tmp", "/tmp", "tmpfs", 0, 0);
    int serial = open("/dev/ttyS0", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(serial, fd);
    setvbuf(stdout, 0, _IOLBF, 0);

    struct dirent **tests;
    int count = scandir("/tests", &tests, is_test, alphasort), failed = count <= 0;
    for (int i = 0; i < count; i++) {
        const char *name = tests[i]->d_name;
        printf("== %s\n", name);
        fflush(stdout);
        pid_t child = fork();
        if (!child)
            run(name);
        int code = result(child);
        failed += code != 0;
        printf("%s %s %d\n", code ? "FAILED" : "passed", name, code);
    }
    printf("selftests: %d run, %d failed\n", count, failed);
    if (!failed)
        printf("selftests: all passed\n");
    tcdrain(1);
    sleep(1);
    reboot(RB_POWER_OFF);
    return 1;
}
