/* What iproute2's own generator of a recorded message needs of its library: attributes put behind one another. */
#include <libnetlink.h>
#include <string.h>

int addattr_l(struct nlmsghdr *n, int maxlen, int type, const void *data, int alen)
{
	struct rtattr *a = (struct rtattr *)((char *)n + NLMSG_ALIGN(n->nlmsg_len));

	if ((int)(NLMSG_ALIGN(n->nlmsg_len) + RTA_SPACE(alen)) > maxlen)
		return -1;
	a->rta_type = type;
	a->rta_len = RTA_LENGTH(alen);
	if (alen)
		memcpy(RTA_DATA(a), data, alen);
	n->nlmsg_len = NLMSG_ALIGN(n->nlmsg_len) + RTA_SPACE(alen);
	return 0;
}

int addattr8(struct nlmsghdr *n, int maxlen, int type, __u8 data)
{
	return addattr_l(n, maxlen, type, &data, sizeof(data));
}

int addattr32(struct nlmsghdr *n, int maxlen, int type, __u32 data)
{
	return addattr_l(n, maxlen, type, &data, sizeof(data));
}

int addattrstrz(struct nlmsghdr *n, int maxlen, int type, const char *data)
{
	return addattr_l(n, maxlen, type, data, strlen(data) + 1);
}

struct rtattr *addattr_nest(struct nlmsghdr *n, int maxlen, int type)
{
	struct rtattr *a = (struct rtattr *)((char *)n + NLMSG_ALIGN(n->nlmsg_len));

	addattr_l(n, maxlen, type, NULL, 0);
	return a;
}

int addattr_nest_end(struct nlmsghdr *n, struct rtattr *a)
{
	a->rta_len = (char *)n + NLMSG_ALIGN(n->nlmsg_len) - (char *)a;
	return n->nlmsg_len;
}
