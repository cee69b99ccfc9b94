// The cheapest server that an upload can be measured against: it answers every POST with 200 and forgets the body.
//
//   upload-sink [DELAY_MS]
//
// It listens on a free port of loopback, prints the port, and ends when its standard input does. DELAY_MS is waited
// before each answer to a POST. GET /take answers the number of POSTs so far, and starts to count anew; any other GET
// answers the mapping of a project in which nothing was ingested. Bodies need a Content-Length. Linux only.
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_SIZE = 8192, MAX_CLIENTS = 1024, BODY_STEP = 1 << 20 };

struct client {
    int fd;
    size_t filled;           // bytes in head
    uint64_t body_left;      // bytes of the body still to come
    bool in_body, is_post, is_take;
    uint64_t due_ns;         // when the answer is due
    struct client *next_due; // the answer that is due after this one
    char head[HEAD_SIZE + 1];
};

static struct client clients[MAX_CLIENTS];
static struct client *first_due, *last_due;
static uint64_t posts, delay_ns;
static int poll_fd, timer_fd;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void watch(int fd, void *tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static void hang_up(struct client *c) {
    close(c->fd);
    c->fd = -1;
}

static void send_answer(struct client *c) {
    char body[64] = "{\"status\":\"ok\"}", answer[256];
    if (c->is_take) {
        snprintf(body, sizeof body, "%llu", (unsigned long long)posts);
        posts = 0;
    } else if (!c->is_post) {
        strcpy(body, "original,derivative");
    }
    int length = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                          c->is_post ? "application/json" : "text/csv", strlen(body), body);
    if (send(c->fd, answer, (size_t)length, MSG_NOSIGNAL) != length) hang_up(c);
}

static void set_timer(void) {
    struct itimerspec at = {0};
    if (first_due) {
        at.it_value.tv_sec = (time_t)(first_due->due_ns / 1000000000u);
        at.it_value.tv_nsec = (long)(first_due->due_ns % 1000000000u);
    }
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void finish_request(struct client *c) {
    c->in_body = false;
    if (c->is_post) posts++;
    if (!c->is_post || !delay_ns) {
        send_answer(c);
        return;
    }
    c->due_ns = now_ns() + delay_ns; // every delay is the same, so answers fall due in order
    c->next_due = NULL;
    if (first_due) {
        last_due->next_due = c;
    } else {
        first_due = c;
        set_timer();
    }
    last_due = c;
}

static void send_due_answers(void) {
    uint64_t expirations;
    if (read(timer_fd, &expirations, sizeof expirations) < 0) return;
    for (uint64_t now = now_ns(); first_due && first_due->due_ns <= now; first_due = first_due->next_due)
        if (first_due->fd >= 0) send_answer(first_due);
    set_timer();
}

// The value of a header, as a number; absent is 0.
static uint64_t header_number(const char *head, const char *name) {
    const char *at = strcasestr(head, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void read_head(struct client *c) {
    ssize_t got = recv(c->fd, c->head + c->filled, HEAD_SIZE - c->filled, 0);
    if (got <= 0) {
        hang_up(c);
        return;
    }
    c->filled += (size_t)got;
    c->head[c->filled] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        if (c->filled == HEAD_SIZE) hang_up(c);
        return;
    }
    size_t beyond = c->filled - (size_t)(end + 4 - c->head);
    end[2] = 0;
    c->is_post = !strncmp(c->head, "POST ", 5);
    c->is_take = !strncmp(c->head, "GET /take ", 10);
    c->body_left = header_number(c->head, "\r\nContent-Length:");
    c->filled = 0;
    bool waits = strcasestr(c->head, "\r\nExpect: 100-continue") != NULL;
    if (strcasestr(c->head, "\r\nTransfer-Encoding:") || beyond > c->body_left) {
        hang_up(c); // a chunked body, or a second request before the first was answered
        return;
    }
    if (waits && send(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL) != 25) {
        hang_up(c);
        return;
    }
    c->body_left -= beyond;
    c->in_body = c->body_left > 0;
    if (!c->in_body) finish_request(c);
}

// MSG_TRUNC makes the kernel drop the bytes where they lie.
static void read_body(struct client *c) {
    ssize_t got = recv(c->fd, NULL, c->body_left < BODY_STEP ? c->body_left : BODY_STEP, MSG_TRUNC);
    if (got <= 0) {
        hang_up(c);
        return;
    }
    c->body_left -= (uint64_t)got;
    if (!c->body_left) finish_request(c);
}

static void accept_client(int listener) {
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    struct client *c = clients;
    while (c < clients + MAX_CLIENTS && c->fd >= 0) c++;
    if (c == clients + MAX_CLIENTS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->fd = fd;
    c->filled = 0;
    c->in_body = false;
    watch(fd, c);
}

int main(int count, char **arguments) {
    delay_ns = count > 1 ? strtoull(arguments[1], NULL, 10) * 1000000u : 0;
    for (int i = 0; i < MAX_CLIENTS; i++) clients[i].fd = -1;

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1024)) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length)) fail("getsockname");

    poll_fd = epoll_create1(0);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(listener, &listener);
    watch(timer_fd, &timer_fd);
    watch(STDIN_FILENO, &poll_fd);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll_fd, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            void *tag = events[i].data.ptr;
            struct client *c = tag;
            char ignored[64];
            if (tag == &listener) {
                accept_client(listener);
            } else if (tag == &timer_fd) {
                send_due_answers();
            } else if (tag == &poll_fd) {
                if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0) return 0;
            } else if (c->in_body) {
                read_body(c);
            } else {
                read_head(c);
            }
        }
    }
}
